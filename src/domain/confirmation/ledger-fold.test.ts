import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	businessId,
	crypto,
	draft,
	hashOf,
	ledgerId,
	right,
	signerOf,
	vectors
} from '#tests/support/confirmation-vectors.ts';
import { permutations } from '#tests/support/permutations.ts';
import { parseBusinessId, parseLedgerId } from '../ids.ts';
import { currencyKey } from './currency-key.ts';
import {
	addSums,
	foldLedger,
	ledgerRecord,
	type LedgerEvent,
	type LedgerFacts,
	type LedgerRecord,
	type LedgerSums
} from './ledger-fold.ts';
import { compareRecordHashes } from './record-hash.ts';
import { recordKinds, type RecordKind } from './record-kind.ts';
import { readRecord, signRecord } from './signed-record.ts';

const scope = { businessId, ledgerId };
const BDT = currencyKey({ currency: 'BDT', exponent: 2 });

/** The `n`th record, written at minute n; what `more` says stands over it. */
function record(
	n: number,
	kind: RecordKind,
	more: Partial<LedgerRecord> & { readonly amount: number }
): LedgerRecord {
	const h = more.h ?? hashOf(n.toString(16).padStart(2, '0').repeat(32));
	return { ...scope, h, kind, currency: 'BDT', exponent: 2, occurredAt: n * 60_000, ...more };
}

function event(kind: LedgerEvent['kind'], of: LedgerRecord): LedgerEvent {
	return { kind, h: of.h };
}

function fold(records: readonly LedgerRecord[], events: readonly LedgerEvent[] = []): LedgerSums {
	return foldLedger(scope, { records, events }).get(BDT) ?? NOTHING;
}

const NOTHING: LedgerSums = {
	confirmed: 0n,
	waiting: 0n,
	credited: 0n,
	disputed: 0n,
	total: 0n,
	advance: 0n,
	agreed: 0n,
	notYetAgreed: 0n
};

/** One of each thing that section 7 speaks of, so that small sets of them make every story. */
const due = record(1, 'due', { amount: 500 });
const payment = record(2, 'payment', { amount: 200 });
const reversal = record(3, 'reversalOfDebit', { amount: 400, ref: due.h });
const named = record(4, 'credit', { amount: 300, ref: due.h });
const undone = record(5, 'reversalOfCredit', { amount: 250, ref: named.h });
const openingDebit = record(6, 'openingDebit', { amount: 1000 });
const openingCredit = record(6, 'openingCredit', { amount: 70, h: hashOf('ff'.repeat(32)) });
const forgiven = record(8, 'forgiveness', { amount: 900, ref: undone.h });
const statement = record(9, 'statement', { amount: 500 });
const otherReversal = record(10, 'reversalOfDebit', { amount: 200, ref: due.h });
const POOL = [
	...[due, payment, reversal, named, undone],
	...[openingDebit, openingCredit, forgiven, statement, otherReversal]
];

describe('[CP-14] the worked examples', () => {
	it('due 500, pay 200, the payment cancelled by the customer', () => {
		expect(fold([due, payment], [event('cancelled', payment)])).toEqual({
			...NOTHING,
			waiting: 500n,
			credited: 200n,
			total: 300n,
			notYetAgreed: 300n
		});
	});

	it('due 500 with a reversal of 200', () => {
		const sums = fold([due, record(3, 'reversalOfDebit', { amount: 200, ref: due.h })]);
		expect(sums).toEqual({ ...NOTHING, waiting: 300n, total: 300n, notYetAgreed: 300n });
	});

	it('disputed due 500 with a credit of 100 naming it', () => {
		const credit = record(4, 'credit', { amount: 100, ref: due.h });
		expect(fold([due, credit], [event('cancelled', due)])).toEqual({ ...NOTHING, disputed: 400n });
	});

	it('due 1,000 waiting, pay 1,000', () => {
		const sums = fold([record(1, 'due', { amount: 1000 }), record(2, 'payment', { amount: 1000 })]);
		expect(sums).toEqual({ ...NOTHING, waiting: 1000n, credited: 1000n, notYetAgreed: 1000n });
	});

	it('advance 500, then a waiting due of 500', () => {
		const paid = record(1, 'payment', { amount: 500 });
		expect(fold([paid])).toEqual({ ...NOTHING, credited: 500n, total: -500n, advance: 500n });
		expect(fold([paid, record(2, 'due', { amount: 500 })])).toEqual({
			...NOTHING,
			waiting: 500n,
			credited: 500n,
			notYetAgreed: 500n
		});
	});

	it('a confirmed due of 500, a waiting one of 300, pay 200', () => {
		const waiting = record(12, 'fee', { amount: 300 });
		expect(fold([due, waiting, payment], [event('confirmed', due)])).toEqual({
			...NOTHING,
			confirmed: 500n,
			waiting: 300n,
			credited: 200n,
			total: 600n,
			agreed: 300n,
			notYetAgreed: 300n
		});
	});
});

describe('[CP-15] the standing of a debit', () => {
	it.each<readonly [LedgerEvent['kind'][], keyof LedgerSums]>([
		[[], 'waiting'],
		[['confirmed'], 'confirmed'],
		[['cancelled'], 'disputed'],
		[['confirmed', 'cancelled'], 'disputed'],
		[['dropped'], 'confirmed'],
		[['cancelled', 'dropped'], 'confirmed'],
		[['dropped', 'confirmed', 'cancelled'], 'confirmed']
	])('%j: %s, whatever came first', (kinds, standing) => {
		for (const order of [kinds, kinds.toReversed()]) {
			const events = order.map((kind) => event(kind, due));
			expect(fold([due], events)[standing]).toBe(500n);
			expect(fold([due, due], [...events, ...events])).toEqual(fold([due], events));
		}
	});

	it('moves its reversals and the credits that name it with it', () => {
		const small = record(3, 'reversalOfDebit', { amount: 100, ref: due.h });
		expect(fold([due, small, named], [event('cancelled', due)])).toEqual({
			...NOTHING,
			disputed: 100n
		});
		const sums = fold([due, small, named], [event('confirmed', due)]);
		expect([sums.confirmed, sums.credited, sums.agreed]).toEqual([400n, 300n, 100n]);
	});
});

describe('[CP-16] links', () => {
	it('clips the reversals of a debit to its amount', () => {
		expect(fold([due, reversal]).total).toBe(100n);
		expect(fold([due, reversal, otherReversal]).total).toBe(0n);
	});

	it('takes the reversal of a credit as a debit that waits, together at most what it counts', () => {
		const first = record(3, 'reversalOfCredit', { amount: 150, ref: payment.h });
		const second = record(4, 'reversalOfCredit', { amount: 150, ref: payment.h });
		expect(fold([payment, first])).toMatchObject({ waiting: 150n, credited: 200n, total: -50n });
		expect(fold([payment, first, second])).toMatchObject({ waiting: 200n, total: 0n });
		const confirmed = fold([payment, first, second], [event('confirmed', second)]);
		expect(confirmed).toMatchObject({ confirmed: 50n, waiting: 150n });
	});

	it('gives the room of a reversed reversal to the next one', () => {
		const first = record(3, 'reversalOfCredit', { amount: 150, ref: payment.h });
		const second = record(4, 'reversalOfCredit', { amount: 150, ref: payment.h });
		const back = record(5, 'reversalOfDebit', { amount: 150, ref: first.h });
		expect(fold([payment, first, second, back])).toMatchObject({ waiting: 150n, total: -50n });
	});

	it('counts of what names a debit together at most what the debit counts', () => {
		const credits = [record(4, 'credit', { amount: 80, ref: due.h }), named];
		expect(fold([due, reversal, ...credits])).toMatchObject({ credited: 100n, total: 0n });
		expect(fold([due, reversal, otherReversal, ...credits])).toMatchObject({ credited: 0n });
		expect(fold([due, record(4, 'forgiveness', { amount: 900, ref: due.h })])).toMatchObject({
			credited: 500n,
			total: 0n
		});
	});

	it('takes away first what was too much, and never makes a debt of it', () => {
		const large = record(4, 'credit', { amount: 900, ref: due.h });
		const part = record(5, 'reversalOfCredit', { amount: 400, ref: large.h });
		const all = record(6, 'reversalOfCredit', { amount: 900, ref: large.h });
		expect(fold([due, large, part]).total).toBe(0n);
		expect(fold([due, large, all]).total).toBe(500n);
		expect(fold([due, large, part, all]).total).toBe(500n);
	});

	it('lets one of two forgivenesses stand when the other is reversed', () => {
		const one = record(4, 'forgiveness', { amount: 500, ref: due.h });
		const two = record(5, 'forgiveness', { amount: 500, ref: due.h });
		for (const undone of [one, two]) {
			const back = record(6, 'reversalOfCredit', { amount: 500, ref: undone.h });
			expect(fold([due, one, two, back]).total).toBe(0n);
		}
	});

	it('takes what was too much from the earliest reversal, of whichever credit', () => {
		const one = record(4, 'forgiveness', { amount: 500, ref: due.h });
		const two = record(5, 'forgiveness', { amount: 500, ref: due.h });
		const later = record(7, 'reversalOfCredit', { amount: 500, ref: one.h });
		const earlier = record(6, 'reversalOfCredit', { amount: 500, ref: two.h });
		const sums = fold([due, one, two, later, earlier], [event('confirmed', earlier)]);
		expect(sums).toMatchObject({ confirmed: 0n, waiting: 1000n, credited: 500n, total: 500n });
	});

	it('counts a credit that names nothing whole', () => {
		expect(fold([due, record(4, 'credit', { amount: 900 })]).total).toBe(-400n);
	});

	it('counts nothing until what it names is known, and then all of it', () => {
		expect(fold([reversal, named, undone])).toEqual(NOTHING);
		expect(fold([undone, named, reversal, due]).total).toBe(
			fold([due, reversal, named, undone]).total
		);
	});

	it('counts nothing for another currency or ledger, or for a record of another side', () => {
		const dollars = record(11, 'due', { amount: 500, currency: 'USD' });
		const finer = record(12, 'due', { amount: 500, exponent: 3 });
		const elsewhere = record(13, 'due', { amount: 500, ledgerId: otherLedger });
		for (const target of [dollars, finer, elsewhere, payment, statement, reversal]) {
			const link = record(20, 'reversalOfDebit', { amount: 100, ref: target.h });
			const credit = record(21, 'credit', { amount: 100, ref: target.h });
			expect(fold([due, target, link, credit])).toEqual(fold([due, target]));
		}
		const wrong = record(22, 'reversalOfCredit', { amount: 100, ref: due.h });
		expect(fold([due, wrong])).toEqual(fold([due]));
	});

	it('lets a payment that carries a name count as one that carries none', () => {
		const odd = { ...payment, ref: due.h };
		expect(fold([due, odd], [event('cancelled', due)])).toMatchObject({
			credited: 200n,
			disputed: 500n
		});
	});

	it('hangs on no circle of names, and no long chain of them', () => {
		const one = record(1, 'credit', { amount: 5, ref: hashOf('02'.repeat(32)) });
		const other = record(2, 'reversalOfCredit', { amount: 5, ref: one.h });
		expect(fold([one, other])).toEqual(NOTHING);

		const chain = [due];
		for (let n = 0; n < 20_000; n += 1) {
			const h = hashOf(`aa${n.toString(16).padStart(62, '0')}`);
			const kind = n % 2 === 0 ? 'credit' : 'reversalOfCredit';
			chain.push(record(n, kind, { amount: 500, h, ref: chain.at(-1)?.h ?? due.h }));
		}
		expect(fold(chain)).toMatchObject({ credited: 5_000_000n, waiting: 5_000_500n, total: 500n });
	});
});

const otherLedger = right(parseLedgerId('8d3c1f52-5b1e-4c38-9a57-1f0c2e9b7a11'));
const otherBusiness = right(parseBusinessId('8d3c1f52-5b1e-4c38-9a57-1f0c2e9b7a12'));

describe('[CP-17] what counts', () => {
	it('takes each H once, and two Hs of one record twice', () => {
		expect(fold([due, due, { ...due }]).total).toBe(500n);
		expect(fold([due, record(7, 'due', { amount: 500 })]).total).toBe(1000n);
	});

	it('takes of several openings the first by time, then by the bytes of H', () => {
		expect(fold([openingCredit, openingDebit]).total).toBe(1000n);
		const earlier = { ...openingCredit, occurredAt: openingDebit.occurredAt - 1 };
		expect(fold([openingDebit, earlier]).total).toBe(-70n);
		const inDollars = { ...openingCredit, currency: 'USD' };
		const key = currencyKey(inDollars);
		const both = foldLedger(scope, { records: [openingDebit, inDollars], events: [] });
		expect(both.get(key)?.total).toBe(-70n);
		expect(both.get(BDT)?.total).toBe(1000n);
	});

	it('lets nothing count that names an opening that does not', () => {
		const credit = record(20, 'credit', { amount: 5, ref: openingDebit.h });
		const link = record(21, 'reversalOfCredit', { amount: 70, ref: openingCredit.h });
		const undo = record(22, 'reversalOfDebit', { amount: 70, ref: openingDebit.h });
		expect(fold([openingDebit, openingCredit, link]).total).toBe(1000n);
		const first = { ...openingCredit, occurredAt: 0 };
		expect(fold([openingDebit, first, credit, undo]).total).toBe(-70n);
	});

	it('counts a statement as nothing, and nothing of another ledger or business', () => {
		expect(fold([statement], [event('confirmed', statement)])).toEqual(NOTHING);
		const foreign = [
			record(30, 'due', { amount: 1, ledgerId: otherLedger }),
			record(31, 'due', { amount: 1, businessId: otherBusiness })
		];
		expect(foldLedger(scope, { records: foreign, events: [] }).size).toBe(0);
	});

	it('sums beyond what a float holds exactly', () => {
		const records = Array.from({ length: 2000 }, (_, n) => {
			const h = hashOf(`bb${n.toString(16).padStart(62, '0')}`);
			return record(n, 'due', { amount: 10 ** 13 - 1, h });
		});
		expect(fold(records).total).toBe(2000n * (10n ** 13n - 1n));
	});

	it('adds pages of one person, and says of their sum what it says of one', () => {
		const some = fold([record(1, 'due', { amount: 500 }), record(2, 'payment', { amount: 700 })]);
		const other = fold([record(3, 'due', { amount: 300 })]);
		expect(addSums([some])).toEqual(some);
		expect(addSums([some, other])).toMatchObject({ waiting: 800n, credited: 700n, total: 100n });
		expect(addSums([])).toMatchObject({ total: 0n, advance: 0n, agreed: 0n, notYetAgreed: 0n });
	});

	it('reads what it needs of a signed record', async () => {
		const signed = await signRecord(draft, await signerOf('shop'), crypto);
		const read = right(await readRecord(signed, crypto));
		const { amount, currency, exponent, occurredAt } = vectors.inputs;
		const plain = {
			...scope,
			h: hashOf(vectors.H),
			kind: 'due',
			amount,
			currency,
			exponent,
			occurredAt
		};
		expect(ledgerRecord(read)).toEqual(plain);
		const rest = { ...read.rest, ref: due.h };
		expect(ledgerRecord({ ...read, rest })).toEqual({ ...plain, ref: due.h });
	});
});

describe('[CP-18] no order and no repetition changes a number', () => {
	it('in every set of up to five of the pool, in every order', () => {
		const events = [event('cancelled', due), event('confirmed', undone)];
		let folded = 0;
		const told = subsets(POOL, 5).flatMap((set) =>
			[[], events].map((said) => [set, said] as const)
		);
		for (const [set, said] of told) {
			const expected = oracle({ records: set, events: said });
			for (const order of permutations(set)) {
				const sums = foldLedger(scope, { records: order, events: said }).get(BDT) ?? NOTHING;
				folded += 1;
				if (sameSums(sums, expected)) continue;
				expect([order, sums]).toEqual([order, expected]);
			}
		}
		expect(folded).toBe(2 * (1 + 10 + 45 * 2 + 120 * 6 + 210 * 24 + 252 * 120));
	});

	it('in any order and repetition of any facts, and as the sentences say', () => {
		let links = 0;
		fc.assert(
			fc.property(facts(), fc.infiniteStream(fc.nat()), ({ records, events }, chance) => {
				const expected = oracle({ records, events });
				const again = [...records, ...records.filter(() => next(chance) % 2 === 0)];
				const shuffled = { records: shuffle(again, chance), events: shuffle(events, chance) };
				const sums = foldLedger(scope, shuffled).get(BDT) ?? NOTHING;
				expect(sums).toEqual(expected);
				links += records.filter(({ ref }) => records.some(({ h }) => h === ref)).length;
			}),
			{ numRuns: 500 }
		);
		expect(links).toBeGreaterThan(500);
	});

	it('a record and its whole reversal come to the same as neither', () => {
		let reversed = 0;
		fc.assert(
			fc.property(facts(), fc.nat(), ({ records, events }, pick) => {
				const undo = records[pick % Math.max(1, records.length)];
				if (undo === undefined || !isReversible(undo.kind)) return;
				const others = records.filter(({ h, ref }) => h !== undo.h && ref !== undo.h);
				const kind = isDebitKind(undo.kind) ? 'reversalOfDebit' : 'reversalOfCredit';
				const link = record(200, kind, { amount: undo.amount, ref: undo.h });
				const without = fold(others, events);
				const undone = fold([...others, undo, link], events);
				expect(undone.total + undone.disputed).toBe(without.total + without.disputed);
				reversed += 1;
			}),
			{ numRuns: 500 }
		);
		expect(reversed).toBeGreaterThan(200);
	});
});

const NAMING: readonly RecordKind[] = [
	'reversalOfDebit',
	'reversalOfCredit',
	'credit',
	'forgiveness'
];

function isDebitKind(kind: RecordKind): boolean {
	return ['due', 'openingDebit', 'fee', 'advancePaidBack', 'reversalOfCredit'].includes(kind);
}

function isOpeningKind(kind: RecordKind): boolean {
	return kind === 'openingDebit' || kind === 'openingCredit';
}

function isCreditKind(kind: RecordKind): boolean {
	return ['payment', 'credit', 'openingCredit', 'forgiveness'].includes(kind);
}

/** An opening that is reversed is still the first, so the next one does not count in its place. */
function isReversible(kind: RecordKind): boolean {
	return (isDebitKind(kind) || isCreditKind(kind)) && !isOpeningKind(kind);
}

/** Up to 12 records that name earlier ones of the list, or nobody knows whom; times in any order. */
function facts(): fc.Arbitrary<
	LedgerFacts & {
		readonly records: readonly LedgerRecord[];
		readonly events: readonly LedgerEvent[];
	}
> {
	const one = fc.record({
		kind: fc.constantFrom(...recordKinds(), 'due', ...NAMING),
		amount: fc.integer({ min: 1, max: 20 }),
		occurredAt: fc.integer({ min: 0, max: 4 }),
		names: fc.option(fc.nat(13), { freq: 3 }),
		said: fc.option(fc.constantFrom<LedgerEvent['kind']>('confirmed', 'cancelled', 'dropped'))
	});
	return fc.array(one, { maxLength: 12, size: 'max' }).map((all) => {
		const records: LedgerRecord[] = [];
		const events: LedgerEvent[] = [];
		for (const [index, { kind, amount, occurredAt, names, said }] of all.entries()) {
			const target = names === null ? undefined : (records[names % (index + 1)]?.h ?? due.h);
			const ref = target !== undefined && NAMING.includes(kind) ? { ref: target } : {};
			const made = record(0x60 + ((index * 37) % 64), kind, { amount, occurredAt, ...ref });
			records.push(made);
			if (said !== null) events.push(event(said, made));
		}
		return { records, events };
	});
}

/** Section 7 said again, slowly and by recursion: a second implementation to compare with. */
function oracle({ records, events }: LedgerFacts): LedgerSums {
	const all = Array.from(records).sort(
		(a, b) => a.occurredAt - b.occurredAt || compareRecordHashes(a.h, b.h)
	);
	const has = (kind: string, of: LedgerRecord): boolean =>
		Array.from(events).some((said) => said.kind === kind && said.h === of.h);
	const standing = (of: LedgerRecord): 'confirmed' | 'waiting' | 'disputed' => {
		if (has('dropped', of)) return 'confirmed';
		if (has('cancelled', of)) return 'disputed';
		return has('confirmed', of) ? 'confirmed' : 'waiting';
	};
	const least = (...amounts: readonly number[]): number => Math.min(...amounts);
	const sum = (of: readonly LedgerRecord[], what: (one: LedgerRecord) => number): number =>
		of.reduce((total, one) => total + what(one), 0);
	const namedBy = (one: LedgerRecord): LedgerRecord | undefined =>
		all.find(({ h }) => h === one.ref);

	function net(debit: LedgerRecord): number {
		const reversals = all.filter(({ kind, ref }) => kind === 'reversalOfDebit' && ref === debit.h);
		return (
			debit.amount -
			least(
				debit.amount,
				sum(reversals, ({ amount }) => amount)
			)
		);
	}
	function lateOpening(one: LedgerRecord): boolean {
		return isOpeningKind(one.kind) && all.find(({ kind }) => isOpeningKind(kind)) !== one;
	}
	/** What a credit and those that name the same debit may count together. */
	function room(credit: LedgerRecord): number {
		if (credit.ref === undefined) return lateOpening(credit) ? 0 : credit.amount;
		const target = namedBy(credit);
		return target !== undefined && isDebitKind(target.kind) ? counted(target) : 0;
	}
	function siblings(credit: LedgerRecord): readonly LedgerRecord[] {
		if (credit.ref === undefined) return [credit];
		return all.filter(({ kind, ref }) => isCreditKind(kind) && ref === credit.ref);
	}
	/** What is left of a credit and its siblings after the reversals in `done`. */
	function standingCredit(credit: LedgerRecord, done: readonly LedgerRecord[]): number {
		const left = sum(siblings(credit), (one) => {
			const reversals = done.filter(({ ref }) => ref === one.h);
			return one.amount - least(one.amount, sum(reversals, net));
		});
		return least(left, room(credit));
	}
	function counted(one: LedgerRecord): number {
		if (isCreditKind(one.kind)) {
			const before = siblings(one).slice(0, siblings(one).indexOf(one));
			return least(one.amount, Math.max(0, room(one) - sum(before, ({ amount }) => amount)));
		}
		if (one.kind !== 'reversalOfCredit')
			return isDebitKind(one.kind) && !lateOpening(one) ? net(one) : 0;
		const credit = namedBy(one);
		if (credit === undefined || !isCreditKind(credit.kind)) return 0;
		const reversals = all.filter(({ kind }) => kind === 'reversalOfCredit');
		const before = reversals.slice(0, reversals.indexOf(one));
		return standingCredit(credit, before) - standingCredit(credit, [...before, one]);
	}

	const debits = all.filter(({ kind }) => isDebitKind(kind));
	const credits = all.filter(({ kind }) => !isDebitKind(kind));
	const inDispute = (credit: LedgerRecord): boolean => {
		const target = namedBy(credit);
		return target !== undefined && isDebitKind(target.kind) && standing(target) === 'disputed';
	};
	const of = (what: string): number =>
		sum(
			debits.filter((debit) => standing(debit) === what),
			counted
		);
	const [c, w] = [of('confirmed'), of('waiting')];
	const d = of('disputed') - sum(credits.filter(inDispute), counted);
	const p = sum(
		credits.filter((credit) => !inDispute(credit)),
		counted
	);
	const t = c + w - p;
	const agreed = Math.max(0, c - p);
	return {
		confirmed: BigInt(c),
		waiting: BigInt(w),
		credited: BigInt(p),
		disputed: BigInt(d),
		total: BigInt(t),
		advance: BigInt(Math.max(0, -t)),
		agreed: BigInt(agreed),
		notYetAgreed: BigInt(t > 0 ? t - agreed : w)
	};
}

function sameSums(a: LedgerSums, b: LedgerSums): boolean {
	return (Object.keys(b) as (keyof LedgerSums)[]).every((key) => a[key] === b[key]);
}

function subsets<T>(pool: readonly T[], sizeMax: number): T[][] {
	const found: T[][] = [[]];
	for (const item of pool) {
		found.push(...found.filter((set) => set.length < sizeMax).map((set) => [...set, item]));
	}
	return found;
}

function shuffle<T>(items: readonly T[], chance: fc.Stream<number>): readonly T[] {
	const keyed = items.map((item) => [next(chance), item] as const);
	return keyed.sort(([a], [b]) => a - b).map(([, item]) => item);
}

function next(chance: fc.Stream<number>): number {
	return chance.next().value as number;
}
