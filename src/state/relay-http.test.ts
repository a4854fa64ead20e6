import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { utf8 } from '#domain/bytes.ts';
import { parseBranchId } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import {
	createRelayHttp,
	tokenRefusal,
	type RelayHttp,
	type RelayHttpParts
} from './relay-http.ts';

const BRANCH = '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d';

interface Asked {
	readonly path: string;
	readonly method: string;
	readonly token: string | null;
	readonly body: string | undefined;
}

type Given = readonly [status: number, body: unknown];

interface Stand {
	readonly http: RelayHttp;
	readonly asked: Asked[];
	readonly clock: { now: number };
	readonly tokens: { given: number };
}

/** A relay that gives these answers, one after the other, and the last one for ever. */
function relay(answers: readonly Given[], parts: Partial<RelayHttpParts> = {}): Stand {
	const asked: Asked[] = [];
	const clock = { now: 0 };
	const tokens = { given: 0 };
	const http = createRelayHttp({
		base: 'http://relay.test',
		clock: () => clock.now,
		getToken: () => {
			tokens.given += 1;
			return Promise.resolve(ok({ token: `t${String(tokens.given)}` }));
		},
		fetch: (address, init) => {
			asked.push({
				path: addressOf(address).replace('http://relay.test', ''),
				method: init?.method ?? '',
				token: new Headers(init?.headers).get('authorization'),
				body: typeof init?.body === 'string' ? init.body : undefined
			});
			const [status, body] = answers[Math.min(asked.length, answers.length) - 1] ?? [500, ''];
			const text = typeof body === 'string' ? body : JSON.stringify(body);
			return Promise.resolve(new Response(text, { status }));
		},
		...parts
	});
	return { http, asked, clock, tokens };
}

function addressOf(request: Parameters<typeof fetch>[0]): string {
	return request instanceof Request ? request.url : request.toString();
}

describe('the relay’s routes', () => {
	it('[LINK-13] asks with one token while it lasts, and with a new one where it is not taken', async () => {
		const page: Given = [
			200,
			{
				epoch: 1,
				rows: [
					[8, BRANCH, '["A-1"]'],
					[9, null, 'x']
				],
				last: 12
			}
		];
		const { http, asked, clock, tokens } = relay([
			page,
			page,
			[401, { code: 'notSignedIn' }],
			page
		]);
		const branch = parseBranchId(BRANCH);
		const expected = ok({
			kind: 'page',
			rows: [
				{ s: 8, branch: branch.ok && branch.value, text: '["A-1"]' },
				{ s: 9, branch: null, text: 'x' }
			],
			last: 12
		});
		expect(await http.feed({ epoch: 1, s: 7 })).toEqual(expected);
		expect(await http.feed({ epoch: 1, s: 7 })).toEqual(expected);
		expect(tokens.given).toBe(1);
		expect(await http.feed({ epoch: 1, s: 7 })).toEqual(expected);
		expect(asked.map(({ token }) => token)).toEqual([
			'Bearer t1',
			'Bearer t1',
			'Bearer t1',
			'Bearer t2'
		]);
		expect(asked[0]).toMatchObject({ path: '/api/feed?epoch=1&after=7', method: 'GET' });
		clock.now += 46 * 60_000;
		await http.feed({ epoch: 1, s: 7 });
		http.forgetToken();
		await http.feed({ epoch: 1, s: 7 });
		expect(tokens.given).toBe(4);
	});

	it.each<[Given, unknown]>([
		[
			[409, { code: 'epochEnded', epoch: 3, survivedTo: 40 }],
			ok({ kind: 'epochEnded', epoch: 3, survivedTo: 40 })
		],
		[[409, { code: 'other' }], err('unreachable')],
		[[401, {}], err('refused')],
		[[403, { code: 'deviceRemoved' }], err('refused')],
		[[429, {}], err('unreachable')],
		[[503, {}], err('unreachable')],
		[[200, '<html>Sign in to the network</html>'], err('unreachable')],
		[[200, { rows: [] }], err('unreachable')],
		[[200, { rows: [[1, 'nobranch', '']], last: 1 }], err('unreachable')],
		[[200, { rows: [['1', null, '']], last: 1 }], err('unreachable')],
		[[200, { rows: [[1, null]], last: 1 }], err('unreachable')]
	])('[LINK-13] reads %j', async (answer, expected) => {
		expect(await relay([answer]).http.feed({ epoch: 1, s: 0 })).toEqual(expected);
	});

	it('[LINK-13] gives a ticket, says who refuses one, and rejects where nobody answered', async () => {
		const { http, asked } = relay([[201, { ticket: 'abc' }]]);
		expect(await http.ticket('j/x')).toEqual({ ticket: 'abc' });
		expect(asked[0]).toMatchObject({
			path: '/api/sync/tickets',
			method: 'POST',
			body: '{"document":"j/x"}'
		});
		expect(await relay([[403, {}]]).http.ticket('j/x')).toEqual({ refused: 'rights' });
		expect(await relay([[401, {}]]).http.ticket('j/x')).toEqual({ refused: 'ticket' });
		await expect(relay([[503, {}]]).http.ticket('j/x')).rejects.toThrow();
		const offline = relay([], { fetch: () => Promise.reject(new TypeError('offline')) });
		await expect(offline.http.ticket('j/x')).rejects.toThrow();
		const removed = relay([], { getToken: () => Promise.resolve(err('refused')) });
		expect(await removed.http.ticket('j/x')).toEqual({ refused: 'rights' });
		const unreached = relay([], { getToken: () => Promise.resolve(err('unreachable')) });
		await expect(unreached.http.ticket('j/x')).rejects.toThrow();
	});

	it('[LINK-13] reads history and refuses a checkpoint that is none', async () => {
		const { http, asked } = relay([
			[200, { rows: [[4, null, 'x']], last: 9 }],
			[200, {}],
			[403, {}]
		]);
		expect(await http.history({ epoch: 1, s: 5 })).toEqual(ok([{ s: 4, branch: null, text: 'x' }]));
		expect(asked[0]?.path).toBe('/api/history?epoch=1&before=5');
		const branch = parseBranchId(BRANCH);
		if (!branch.ok) throw new Error('no branch');
		expect(await http.checkpoint(branch.value)).toEqual(err('unreachable'));
		expect(await http.checkpoint(branch.value)).toEqual(err('refused'));
		expect(asked[1]?.path).toBe(`/api/checkpoint?branch=${BRANCH}`);
	});
});

it('[LINK-13] takes a database that is away for a relay that is not there, not for a refusal', () => {
	for (const code of ['databaseGone', 'fault', 'tooManyAttempts', 'nonceSpent', 'busy'] as const) {
		expect(tokenRefusal(code)).toBe('unreachable');
	}
	expect(tokenRefusal('deviceRemoved')).toBe('refused');
	// Whom it does not know was removed by nobody.
	expect(tokenRefusal('deviceRefused')).toBe('unknown');
});

it('[LINK-40] gives up an answer that stops coming, and hears a slow one to its end', async () => {
	vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
	onTestFinished(() => {
		vi.useRealTimers();
	});
	const SILENCE_MS = 30_000;
	const page = JSON.stringify({ epoch: 1, rows: [], last: 12 });
	const { http, parts } = slowly();
	const slow = http.feed({ epoch: 1, s: 1 });
	for (const letter of page) {
		await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
		parts.say(letter);
	}
	parts.end();
	expect(await slow).toEqual(ok({ kind: 'page', rows: [], last: 12 }));
	expect(vi.getTimerCount()).toBe(0);

	const { http: other, parts: few } = slowly();
	const silent = other.feed({ epoch: 1, s: 1 });
	await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
	few.say('{');
	await vi.advanceTimersByTimeAsync(SILENCE_MS);
	expect(await silent).toEqual(err('unreachable'));

	const never = slowly({ isMute: true }).http.feed({ epoch: 1, s: 1 });
	await vi.advanceTimersByTimeAsync(SILENCE_MS);
	expect(await never).toEqual(err('unreachable'));
});

interface Slowly {
	readonly http: RelayHttp;
	readonly parts: { readonly say: (part: string) => void; readonly end: () => void };
}

/** A relay whose answer comes in parts, or that says nothing at all. */
function slowly({ isMute = false } = {}): Slowly {
	let body: ReadableStreamDefaultController<Uint8Array> | undefined;
	const stream = new ReadableStream<Uint8Array>({
		start: (controller) => {
			body = controller;
		}
	});
	const { http } = relay([], {
		fetch: (_address, init) =>
			new Promise((resolve, reject) => {
				init?.signal?.addEventListener('abort', () => {
					const cut = new TypeError('cut');
					body?.error(cut);
					reject(cut);
				});
				if (!isMute) resolve(new Response(stream, { status: 200 }));
			})
	});
	return {
		http,
		parts: {
			say: (part) => {
				body?.enqueue(utf8(part));
			},
			end: () => {
				body?.close();
			}
		}
	};
}
