import * as decoding from 'lib0/decoding';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
	decodeClientFrame,
	decodeFeedNews,
	decodeHave,
	decodeHello,
	decodeNack,
	encodeFeedNews,
	encodeHave,
	encodeHello,
	encodeNack,
	encodeStep1,
	encodeStep2,
	encodeUpdate,
	HEARTBEAT_FRAME,
	MESSAGE_FEED,
	MESSAGE_HAVE,
	MESSAGE_HELLO,
	MESSAGE_NACK
} from './frames.ts';
import {
	BUFFERED_BYTES_CLOSE,
	BUFFERED_BYTES_PAUSE,
	FACT_TEXT_BYTES_MAX,
	FRAME_BYTES_MAX,
	PAYLOAD_BYTES_MAX,
	PENDING_BYTES_MAX,
	PIECE_BYTES_MAX
} from './limits.ts';

describe("a client's message", () => {
	it('[SYNC-1] is step 1 with its state vector, step 2 or an update, or of no concern', () => {
		const doc = new Y.Doc();
		doc.clientID = 9;
		doc.getMap('f').set('A-1', 'one');
		const update = Y.encodeStateAsUpdate(doc);
		const stateVector = new Map([[9, 1]]);
		expect(decodeClientFrame(encodeStep1(stateVector))).toEqual({ kind: 'step1', stateVector });
		expect(Y.decodeStateVector(encodeStep1(stateVector).subarray(3))).toEqual(stateVector);
		expect(decodeClientFrame(encodeStep2(update))).toEqual({ kind: 'step2', update });
		expect(decodeClientFrame(encodeUpdate(update))).toEqual({ kind: 'update', update });
		expect(decodeClientFrame(HEARTBEAT_FRAME)).toEqual({ kind: 'ignored' });
	});

	it('[SYNC-1] keeps of a state vector what is wanted', () => {
		const frame = encodeStep1(
			new Map([
				[9, 1],
				[12, 3],
				[15, 2]
			])
		);
		const stateVector = new Map([[12, 3]]);
		expect(decodeClientFrame(frame, (client) => client === 12)).toEqual({
			kind: 'step1',
			stateVector
		});
	});

	it('[SYNC-1] is refused, and never throws, when it is cut, unknown or nonsense', () => {
		expect(decodeClientFrame(new Uint8Array())).toBeUndefined();
		expect(decodeClientFrame(Uint8Array.of(0, 3, 0))).toBeUndefined();
		expect(decodeClientFrame(Uint8Array.of(0, 2, 9, 1))).toBeUndefined();
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
				decodeClientFrame(bytes);
			})
		);
	});
});

describe("the relay's own messages", () => {
	it('[SYNC-2] read back as they were written', () => {
		const hello = {
			epoch: 1,
			kinds: ['sale'],
			now: 1_290_000_000_000,
			limits: { facts: 3 },
			s: 12
		};
		const have = { epoch: 1, ranges: [[1, 511, '00000000000000ff']] } as const;
		const nack = { refused: [['A-12', 'fork']] } as const;
		expect(decodeHello(jsonOf(encodeHello(hello), MESSAGE_HELLO))).toEqual(hello);
		const more = { ...hello, ends: [[1, 8]], backup: 9 } as const;
		expect(decodeHello(jsonOf(encodeHello(more), MESSAGE_HELLO))).toEqual(more);
		expect(decodeHave(jsonOf(encodeHave(have), MESSAGE_HAVE))).toEqual(have);
		expect(decodeNack(jsonOf(encodeNack(nack), MESSAGE_NACK))).toEqual(nack);
		expect(decodeFeedNews(jsonOf(encodeFeedNews({ s: 3 }), MESSAGE_FEED))).toEqual({ s: 3 });
	});

	it.each(['', '{', 'null', '[]', '{}', '{"epoch":"1","ranges":[]}'])(
		'[SYNC-2] are not read from %j',
		(json) => {
			expect([decodeHello(json), decodeHave(json), decodeNack(json), decodeFeedNews(json)]).toEqual(
				[undefined, undefined, undefined, undefined]
			);
		}
	);

	it.each(['-1', '1.5', '"9"', 'null', '[1,2]'])('[SYNC-2] name no backup up to %s', (backup) => {
		const hello = `{"epoch":1,"kinds":[],"now":1,"limits":{},"s":9,"backup":`;
		expect(decodeHello(`${hello}${backup}}`)).toBeUndefined();
		// What a program does not know of is none of its business.
		expect(decodeHello(`${hello}9,"more":{}}`)).toMatchObject({ backup: 9 });
	});

	it('[SYNC-2] have no range upside down, of another form, or with a short digest', () => {
		for (const range of [
			'[2,1,"00000000000000ff"]',
			'[1,2]',
			'[1,2,"ff"]',
			'[-1,2,"00000000000000ff"]'
		]) {
			expect(decodeHave(`{"epoch":1,"ranges":[${range}]}`)).toBeUndefined();
		}
		expect(decodeNack('{"refused":[["A-1"]]}')).toBeUndefined();
		expect(decodeFeedNews('{"s":1.5}')).toBeUndefined();
	});
});

describe('limits', () => {
	it('[SYNC-3] fit into each other', () => {
		expect(PAYLOAD_BYTES_MAX).toBeGreaterThan(FRAME_BYTES_MAX);
		expect(PENDING_BYTES_MAX).toBeGreaterThan(FRAME_BYTES_MAX);
		expect(FRAME_BYTES_MAX).toBeGreaterThan(PIECE_BYTES_MAX + FACT_TEXT_BYTES_MAX);
		expect(BUFFERED_BYTES_CLOSE).toBeGreaterThan(BUFFERED_BYTES_PAUSE + FACT_TEXT_BYTES_MAX);
	});
});

function jsonOf(frame: Uint8Array, type: number): string {
	const decoder = decoding.createDecoder(frame);
	expect(decoding.readVarUint(decoder)).toBe(type);
	return decoding.readVarString(decoder);
}
