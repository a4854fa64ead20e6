import { foldFacts, type PlacedFact, type ShopNumbers } from '#domain/fact/fold.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { encodeBase64url, utf8, concatBytes, tag } from '#domain/bytes.ts';
import { recordHashOf } from '#domain/confirmation/record-hash.ts';
import { DAY_TOTAL_NAMES } from '#domain/fact/effects.ts';
import { LEDGER_FACT_KINDS } from '#domain/fact/ledger-fact.ts';
import type { BranchId } from '#domain/ids.ts';
import type { DeviceStore, FieldStamps, StoreReader } from '#storage/device-store.ts';
import type { Checkpoint } from '#state/checkpoint.ts';
import { createHash } from 'node:crypto';
import { ALL_TABLES } from '#tests/contract/device-store.ts';

/** Everything a device counts, as plain text, so that two of them can be compared whole. */
export type Numbers = Readonly<Record<string, string>>;

/** What stands in the tables of a device. */
export async function storedNumbers(store: DeviceStore): Promise<Numbers> {
	return store.read(ALL_TABLES, async (rows) => {
		const numbers: Record<string, string> = {};
		for (const { branch, product, level } of await rows.all('stock')) {
			numbers[`stock ${branch} ${product}`] = String(level);
		}
		for (const row of await rows.all('days')) {
			numbers[`day ${row.branch} ${row.on}`] = DAY_TOTAL_NAMES.map((of) => String(row[of])).join();
		}
		for (const row of await rows.all('balances')) {
			const { ledger, currency, confirmed, waiting, credited, disputed, total } = row;
			const sums = [confirmed, waiting, credited, disputed, total].join();
			numbers[`balance ${ledger} ${currency}`] = sums;
		}
		for (const { id, ...row } of await rows.all('products')) {
			numbers[`product ${id}`] = fieldsText(row, row.stamps);
		}
		for (const { ledger, ...row } of await rows.all('customers')) {
			numbers[`customer ${ledger}`] = fieldsText(row, row.stamps);
		}
		for (const { field, value } of await rows.all('settings')) {
			numbers[`setting ${field}`] = String(value);
		}
		return numbers;
	});
}

/** What the domain makes of the facts that a device holds. */
export async function foldedNumbers(store: DeviceStore): Promise<Numbers> {
	return numbersOfFacts(await store.read(['facts'], (rows) => rows.all('facts')));
}

/** What the domain makes of facts, each with the branch that it is of; '' and null are the shop's own. */
export function numbersOfFacts(
	facts: readonly { readonly text: string; readonly branch: string | null }[]
): Numbers {
	const placed = facts.flatMap(({ text, branch }): PlacedFact[] => {
		const parsed = parseFact(text);
		const of = branch === '' ? null : (branch as BranchId | null);
		return parsed.ok ? [{ fact: parsed.value, branch: of }] : [];
	});
	return numbersOf(
		foldFacts(placed, ({ signed }) => {
			const bytes = concatBytes(tag('cp/rec/v1'), signed.a);
			return recordHashOf(new Uint8Array(createHash('sha256').update(bytes).digest()));
		})
	);
}

function numbersOf(folded: ShopNumbers): Numbers {
	const numbers: Record<string, string> = {};
	for (const [key, level] of folded.stock) numbers[`stock ${key}`] = String(level);
	for (const [key, totals] of folded.days) {
		numbers[`day ${key}`] = DAY_TOTAL_NAMES.map((of) => String(totals[of])).join();
	}
	for (const [ledger, sumsByCurrency] of folded.balances) {
		for (const [currency, sums] of sumsByCurrency) {
			const { confirmed, waiting, credited, disputed, total } = sums;
			const text = [confirmed, waiting, credited, disputed, total].join();
			numbers[`balance ${ledger} ${currency}`] = text;
		}
	}
	for (const [id, fields] of folded.products) numbers[`product ${id}`] = fieldsText(fields);
	for (const [ledger, fields] of folded.customers) {
		numbers[`customer ${ledger}`] = fieldsText(fields);
	}
	for (const [field, value] of Object.entries(folded.settings)) {
		numbers[`setting ${field}`] = String(value);
	}
	return numbers;
}

function fieldsText(row: object, stamps?: FieldStamps): string {
	const fields = Object.entries(row).filter(([field]) => stamps === undefined || field in stamps);
	return JSON.stringify(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The checkpoint that a relay would give, had it all the facts of this device and no others. */
export async function checkpointOf(store: DeviceStore, s: number): Promise<Checkpoint> {
	return store.read(ALL_TABLES, async (rows) => {
		const ranges: Record<string, [number, number][]> = {};
		const facts = (await rows.all('facts')).toSorted((a, b) => a.n - b.n);
		for (const { code, n } of facts) {
			const last = ranges[code]?.at(-1);
			if (last?.[1] === n - 1) last[1] = n;
			else (ranges[code] ??= []).push([n, n]);
		}
		return {
			epoch: 1,
			s,
			ranges,
			ledgerFacts: await ledgerFactsOf(rows),
			settings: await rows.all('settings'),
			members: await rows.all('members'),
			devices: await rows.all('devices'),
			products: await rows.all('products'),
			customers: await rows.all('customers'),
			records: await rows.all('records'),
			stock: await rows.all('stock'),
			days: await rows.all('days')
		};
	});
}

/** A text that is a fact in form and of a kind that nobody knows yet. */
export function unknownFact(id: string, wall: number): string {
	return JSON.stringify([id, 'shift', wall, 0, Math.floor(wall / 86_400_000), 1, 'float', 5_000]);
}

/** Three pieces of a product that were found. */
export function foundFact(id: string, wall: number): string {
	return JSON.stringify(foundParts(id, wall));
}

/** The same by a later program, which says more of it. */
export function laterFact(id: string, wall: number): string {
	return JSON.stringify([...foundParts(id, wall), 'counted by two']);
}

function foundParts(id: string, wall: number): readonly unknown[] {
	const rows = [['B-2', 3_000]];
	return [id, 'adjust', wall, 0, Math.floor(wall / 86_400_000), 1, rows, 'found'];
}

export function sha256Text(text: string): string {
	return encodeBase64url(new Uint8Array(createHash('sha256').update(utf8(text)).digest()));
}

const LEDGER_KINDS: readonly string[] = LEDGER_FACT_KINDS;

/** What a checkpoint carries whole: ledger facts, and records that say more than money. */
async function ledgerFactsOf(rows: StoreReader): Promise<Checkpoint['ledgerFacts']> {
	const facts = await rows.all('facts');
	return facts
		.filter(({ kind, text }) => {
			if (LEDGER_KINDS.includes(kind)) return true;
			return kind === 'record' && /"(?:answer|list|slip|pending)":/.test(text);
		})
		.map(({ text, branch }) => ({ text, branch: branch === '' ? null : branch }));
}
