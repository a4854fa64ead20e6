import { expect, it } from 'vitest';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { issueAgain } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { factId } from '#domain/ids.ts';
import { err, type Result } from '#domain/result.ts';
import { formatDocumentName } from '#documents/document-name.ts';
import { TRADE_BRANCH, TRADE_BUSINESS } from '#tests/support/trade.ts';
import type { Allowance } from './allowance.ts';
import type { CheckRefusal } from './check-fact.ts';
import { decide } from './decide.ts';
import type { Ground } from './ground.ts';
import type { Room } from './room.ts';
import { createRoomState } from './room-state.ts';
import { factKey, type Submission } from './submission.ts';
import { textItem } from './update-writer.ts';

const address = {
	...({ kind: 'journal', business: TRADE_BUSINESS, branch: TRADE_BRANCH } as const),
	day: '20261120'
};
const room: Room = {
	...{ address, name: formatDocumentName(address) },
	...{ state: createRoomState(), sequence: 0 }
};
const ROOM_FOR_ALL: Allowance = {
	beyond: () => [],
	take: () => undefined,
	keep: () => Promise.resolve()
};

function ground(): Ground {
	return {
		...{ textByFact: new Map(), idByFirst: new Map(), layerByRoom: new Map() },
		...{ removed: new Set<string>(), signedOut: new Set<string>() },
		...{ allowance: ROOM_FOR_ALL, restoredIn: undefined }
	};
}

function setting(code: string, n: number): Fact {
	return {
		...{ id: factId(code, n), code, n, at: { wall: 1_000, counter: 0 }, on: '2026-11-20', by: 1 },
		...{ kind: 'setting', fields: { name: `${code} ${String(n)}` } }
	};
}

/** One update, of what passed its checks and what did not. */
function submission(
	code: string,
	client: number,
	told: readonly (readonly [text: string, refusal?: CheckRefusal])[]
): Submission {
	const items = told.map(([text, refusal], clock) => {
		const fact = parseFact(text);
		if (!fact.ok) throw new Error(fact.error);
		const item = textItem({ client, clock, key: fact.value.id, text });
		const check: Result<Fact, CheckRefusal> = refusal === undefined ? fact : err(refusal);
		return [item, check] as const;
	});
	const update = { items: items.map(([item]) => item), deletions: [] };
	const caller = { scope: TRADE_BUSINESS, code };
	return { room, caller, update, checks: new Map(items), sender: {} };
}

it('[RELAY-5] [RELAY-46] what is refused leaves no name behind for what the batch brings after it', () => {
	const fact = setting('A', 1);
	const text = encodeFact(fact);
	const renamed = issueAgain(text, fact, { id: factId('B', 1), renamed: new Map() });
	const wrong = encodeFact(setting('B', 2));
	const of = ground();
	const heir = submission('B', 1, [[renamed], [wrong, 'recordWrong']]);
	expect(decide(heir, of)).toEqual({ kind: 'refused', refused: [['B-2', 'recordWrong']] });
	expect(decide(submission('A', 2, [[text]]), of)).toMatchObject({ kind: 'accepted' });
	// What was taken in does.
	expect(decide(submission('B', 3, [[renamed]]), of)).toEqual({
		kind: 'refused',
		refused: [['B-1', 'again']]
	});
});

it('[RELAY-46] an act that two heirs tell in one batch is taken once, and under no other name behind it', () => {
	const fact = setting('A', 1);
	const text = encodeFact(fact);
	const byHeir = (code: string): string =>
		issueAgain(text, fact, { id: factId(code, 1), renamed: new Map() });
	const of = ground();
	expect(decide(submission('B', 1, [[byHeir('B')]]), of)).toMatchObject({ kind: 'accepted' });
	for (const [code, told] of [['C', byHeir('C')] as const, ['A', text] as const]) {
		const refused = [[`${code}-1`, 'again']];
		expect(decide(submission(code, 2, [[told]]), of)).toEqual({ kind: 'refused', refused });
	}
});

it('[RELAY-51] what is kept apart as a fork takes room like all else that a device brings', () => {
	let left = 1;
	const allowance: Allowance = {
		...ROOM_FOR_ALL,
		beyond: (_bearer, { items }) => (items > left ? 'all' : []),
		take: (_bearer, { items }) => {
			left -= items;
		}
	};
	const texts = [1_000, 1_001, 1_002].map((wall) =>
		encodeFact({ ...setting('A', 1), at: { wall, counter: 0 } })
	);
	const [first = '', second = '', third = ''] = texts;
	const of = { ...ground(), allowance };
	of.textByFact.set(factKey(TRADE_BUSINESS, 'A-1'), first);
	const kept = { kind: 'fork', ids: ['A-1'], forks: [{ id: 'A-1', text: second }] };
	expect(decide(submission('A', 1, [[second]]), of)).toMatchObject(kept);
	expect(decide(submission('A', 2, [[third]]), of)).toEqual({ ...kept, forks: [] });
});
