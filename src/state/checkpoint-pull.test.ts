import { expect, it } from 'vitest';
import type { LedgerId } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import type { NextPage } from './checkpoint.ts';
import type { Device } from './device.ts';
import { fillHurried, fillNext, type CheckpointPullParts } from './checkpoint-pull.ts';
import { readMeta, writeMeta } from './meta.ts';

const EMPTY = {
	...{ epoch: 1, s: 1, settings: [], members: [], devices: [], products: [], customers: [] },
	...{ records: [], stock: [], days: [], ledgerFacts: [] }
};
const WANTED = '11111111-2222-4333-8444-555555555555' as LedgerId;

it('[LINK-24] a ledger that is not to be had holds no other piece up', async () => {
	const { device, store } = await openTestDevice({ seed: 1 });
	const ranges = {};
	await device.takeCheckpoint({ ...EMPTY, ranges, next: { part: 'products', after: '' } });
	await store.write(['bases'], (rows) =>
		rows.put('bases', [{ ledger: WANTED, sums: [], ranges, isWanted: 1 }])
	);
	const asked: string[] = [];
	const parts: CheckpointPullParts = {
		...{ device, store, follow: () => Promise.resolve() },
		http: {
			checkpoint: (_branch, piece) => {
				const { part, after }: NextPage = piece ?? { part: 'first', after: '' };
				asked.push(`${part} ${after}`);
				if (part === 'ledger') return Promise.resolve(err('unreachable'));
				const next = part === 'products' ? { part: 'customers', after: '' } : null;
				return Promise.resolve(ok({ ...EMPTY, next }));
			}
		}
	};
	await fillHurried(parts);
	expect(asked.filter((name) => !name.startsWith('ledger'))).toEqual(['products ', 'customers ']);
	expect(await store.read(['meta'], (rows) => readMeta(rows, 'checkpointNext'))).toBeNull();
	// It is asked for again all the same.
	expect(await fillNext(parts)).toBe('none');
	expect(asked.at(-1)).toBe(`ledger ${WANTED}/`);

	// A relay that leads round in a circle is not followed for ever.
	await store.write(['meta'], async (rows) => {
		await writeMeta(rows, 'checkpointNext', { epoch: 1, part: 'products', after: '' });
		await writeMeta(rows, 'reached', { epoch: 1, s: 1, ranges });
	});
	const circling = { ...parts, http: { checkpoint: circle(asked) } };
	asked.length = 0;
	await fillHurried(circling);
	expect(asked).toEqual(['products ', 'products b']);
});

it('[LINK-38] a piece of before moves no place of a checkpoint that was begun meanwhile', async () => {
	const { device, store } = await openTestDevice({ seed: 1 });
	const begun = { ...EMPTY, ranges: {}, next: { part: 'products', after: '' } };
	await device.takeCheckpoint(begun);
	await store.write(['meta'], (rows) =>
		writeMeta(rows, 'checkpointNext', { epoch: 1, part: 'days', after: '' })
	);
	const parts: CheckpointPullParts = {
		...{ device, store, follow: () => Promise.resolve() },
		http: {
			checkpoint: async () => {
				// As another tab does, or this one where the relay was restored.
				await device.takeCheckpoint(begun);
				return ok({ ...EMPTY, next: { part: 'retired', after: '' } });
			}
		}
	};
	await fillNext(parts);
	expect(await store.read(['meta'], (rows) => readMeta(rows, 'checkpointNext'))).toEqual({
		...{ epoch: 1, part: 'products', after: '' }
	});
});

it('[LINK-38] a tab that slept moves no place of one that was begun anew at the same piece', async () => {
	const { device, store } = await openTestDevice({ seed: 1 });
	const begun = { ...EMPTY, ranges: {}, next: { part: 'products', after: '' } };
	await device.takeCheckpoint(begun);
	const parts: CheckpointPullParts = {
		...{ store, follow: () => Promise.resolve() },
		device: asleepAfterPiece(device, () => device.takeCheckpoint({ ...begun, s: 5 })),
		http: { checkpoint: () => Promise.resolve(ok({ ...EMPTY, next: null })) }
	};
	await fillNext(parts);
	// What products were changed between the two is in the later piece alone.
	expect(await store.read(['meta'], (rows) => readMeta(rows, 'checkpointNext'))).toEqual({
		...{ epoch: 1, part: 'products', after: '' }
	});
	expect(await store.read(['meta'], (rows) => readMeta(rows, 'reached'))).toMatchObject({ s: 5 });
});

it.each([
	['where it was cut off', `${WANTED}/abc`],
	['that it was whole', undefined]
])(
	'[LINK-39] a tab that slept does not note %s of a ledger in a checkpoint that was begun anew',
	async (_what, after) => {
		const { device, store } = await openTestDevice({ seed: 1 });
		const begun = { ...EMPTY, ranges: {}, next: { part: 'products', after: '' } };
		const base = { ledger: WANTED, sums: [], ranges: {}, isWanted: 1 } as const;
		await device.takeCheckpoint(begun);
		await store.write(['bases'], (rows) => rows.put('bases', [base]));
		const asked: string[] = [];
		const parts: CheckpointPullParts = {
			...{ store, follow: () => Promise.resolve() },
			device: asleepAfterPiece(device, async () => {
				await device.takeCheckpoint({ ...begun, s: 5 });
				await store.write(['bases'], (rows) => rows.put('bases', [base]));
			}),
			http: {
				checkpoint: (_branch, piece) => {
					asked.push(String(piece?.after));
					const next = after === undefined ? null : { part: 'ledger', after };
					return Promise.resolve(asked.length > 1 ? err('unreachable') : ok({ ...EMPTY, next }));
				}
			}
		};
		await fillNext(parts);
		expect(await store.read(['bases'], (rows) => rows.get('bases', WANTED))).toEqual(base);
	}
);

/** Another tab does `meanwhile` once, between a piece that was taken and the note of what is next. */
function asleepAfterPiece(device: Device, meanwhile: () => Promise<void>): Device {
	let isOver = false;
	return {
		...device,
		takePiece: async (piece) => {
			const taken = await device.takePiece(piece);
			if (!isOver) await meanwhile();
			isOver = true;
			return taken;
		}
	};
}

it.each([
	['goes on where it was cut off', 1, 'abc'],
	['begins anew where another checkpoint was begun since', 0, '']
])('[LINK-39] a ledger %s', async (_what, s, from) => {
	const { device, store } = await openTestDevice({ seed: 1 });
	await device.takeCheckpoint({ ...EMPTY, ranges: {}, next: null });
	const next = { s, after: `${WANTED}/abc` };
	await store.write(['bases'], (rows) =>
		rows.put('bases', [{ ledger: WANTED, sums: [], ranges: {}, isWanted: 1, next }])
	);
	const asked: string[] = [];
	const parts: CheckpointPullParts = {
		...{ device, store, follow: () => Promise.resolve() },
		http: {
			checkpoint: (_branch, piece) => {
				asked.push(String(piece?.after));
				return Promise.resolve(err('unreachable'));
			}
		}
	};
	await fillNext(parts);
	expect(asked).toEqual([`${WANTED}/${from}`]);
});

/** A relay that has no ledger, and of products leads from `b` back to the first. */
function circle(asked: string[]): CheckpointPullParts['http']['checkpoint'] {
	return (_branch, piece) => {
		if (piece?.part !== 'products') return Promise.resolve(err('unreachable'));
		asked.push(`products ${piece.after}`);
		const next = { part: 'products', after: piece.after === '' ? 'b' : '' };
		return Promise.resolve(ok({ ...EMPTY, next }));
	};
}
