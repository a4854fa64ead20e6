import { describe, expect, it } from 'vitest';
import { err, ok } from '#domain/result.ts';
import { openTestDevice, type TestDevice } from '#tests/support/test-device.ts';
import { keepRefused } from './have.ts';
import { leaveLate, WITH_OWNER, type LateApi } from './late-facts.ts';

async function withSales(count: number): Promise<TestDevice> {
	const test = await openTestDevice({ seed: 3, currency: 'INR' });
	for (let minor = 1; minor <= count; minor += 1) {
		await test.device.sell({
			lines: [{ name: '', quantityThousandths: 1_000, unitPriceMinor: 100 * minor }],
			tenders: [{ kind: 'cash', minor: 100 * minor }]
		});
	}
	return test;
}

function idIn(text: string): string {
	return /^\["([^"]+)"/.exec(text)?.[1] ?? '';
}

describe('what a removed device had not sent', () => {
	it('[LATE-1] goes to the owner once, lot by lot, and stays here too', async () => {
		const test = await withSales(3);
		await keepRefused(test.store, [['A-3', 'badBody']]);
		const heard: string[] = [];
		const api: LateApi = {
			leave: (texts) => {
				const ids = texts.map(idIn);
				heard.push(...ids);
				return Promise.resolve(
					ok({ waiting: ids.filter((id) => id !== 'A-2'), known: ['A-2'], refused: [] })
				);
			}
		};
		expect(await leaveLate(test.store, api)).toEqual(ok(3));
		expect(heard).toEqual(['A-1', 'A-2', 'A-3', 'A-4']);
		const rows = await test.store.read(['journal'], (read) => read.all('journal'));
		expect(rows.map(({ sent, refused }) => [sent, refused])).toEqual([
			[0, WITH_OWNER],
			[1, undefined],
			[0, WITH_OWNER],
			[0, WITH_OWNER]
		]);
		expect(await leaveLate(test.store, api)).toEqual(ok(3));
		expect(heard).toHaveLength(4);
	});

	it('[LATE-1] is begun again where it was cut off', async () => {
		const test = await withSales(600);
		let lots = 0;
		const api: LateApi = {
			leave: (texts) => {
				lots += 1;
				if (lots === 2) return Promise.resolve(err('unreachable'));
				return Promise.resolve(ok({ waiting: texts.map(idIn), known: [], refused: [] }));
			}
		};
		expect(await leaveLate(test.store, api)).toEqual(err('unreachable'));
		expect(await leaveLate(test.store, api)).toEqual(ok(601));
		expect(lots).toBe(3);
	});

	it('[LATE-1] goes in lots that a slow line carries, in letters of two bytes too', async () => {
		const test = await openTestDevice({ seed: 3, currency: 'INR' });
		const line = { name: 'شاي أخضر '.repeat(6), quantityThousandths: 1_000, unitPriceMinor: 100 };
		for (let sale = 0; sale < 120; sale += 1) {
			await test.device.sell({
				lines: Array.from({ length: 20 }, () => line),
				tenders: [{ kind: 'cash', minor: 2_000 }]
			});
		}
		const sizes: number[] = [];
		const api: LateApi = {
			leave: (facts) => {
				sizes.push(new TextEncoder().encode(JSON.stringify(facts)).length);
				return Promise.resolve(ok({ waiting: facts.map(idIn), known: [], refused: [] }));
			}
		};
		expect(await leaveLate(test.store, api)).toEqual(ok(121));
		// Half of the thirty seconds that an answer is waited for.
		const inFifteenSeconds = 15 * 10_000;
		expect(Math.max(...sizes)).toBeLessThanOrEqual(inFifteenSeconds);
		expect(sizes.length).toBeLessThan(10);
	});

	it('[LATE-3] is told once more with the last that was sent, where a relay may have forgotten it', async () => {
		const test = await withSales(2);
		await test.store.write(['journal'], async (rows) => {
			const held = await rows.all('journal');
			await rows.put(
				'journal',
				held.map((row) => (row.n === 3 ? { ...row, refused: WITH_OWNER } : { ...row, sent: 1 }))
			);
		});
		const heard: string[] = [];
		const api: LateApi = {
			leave: (texts) => {
				heard.push(...texts.map(idIn));
				return Promise.resolve(ok({ waiting: ['A-2', 'A-3'], known: ['A-1'], refused: [] }));
			}
		};
		expect(await leaveLate(test.store, api, { again: true })).toEqual(ok(2));
		expect(heard).toEqual(['A-1', 'A-2', 'A-3']);
		const rows = await test.store.read(['journal'], (read) => read.all('journal'));
		expect(rows.map(({ sent, refused }) => [sent, refused])).toEqual([
			[1, undefined],
			[0, WITH_OWNER],
			[0, WITH_OWNER]
		]);
	});
});
