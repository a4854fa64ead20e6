import { createHash } from 'node:crypto';
import type { Sql } from 'postgres';
import { concatBytes, tag } from '#domain/bytes.ts';
import { recordHashOf, type RecordHash } from '#domain/confirmation/record-hash.ts';
import { isDebit } from '#domain/confirmation/record-kind.ts';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import type { Claim } from '#domain/confirmation/claim.ts';
import { parseVerdict } from '#domain/confirmation/verdict.ts';
import { clockedTime, inTime, rulingTime, type FactTime } from '#domain/fact/clock-fact.ts';
import { DAY_TOTAL_NAMES, effectsOf } from '#domain/fact/effects.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { firstText } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { receiptNumber, type BusinessId } from '#domain/ids.ts';
import { parseUpdate } from '#server/relay/update-parser.ts';
import { isReceipt, letGoBy } from './let-go.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { numbersOfFacts, storedNumbers, type Numbers } from '#tests/support/shop-numbers.ts';

/** A promise that did not hold in a run. */
export interface Violation {
	readonly promise: string;
	readonly detail: string;
}

/** What is looked at when everything is quiet. */
export interface Quiet {
	readonly sql: Sql;
	/** By every code that was given out, its own counter. */
	readonly codes: ReadonlyMap<string, number>;
	readonly shops: readonly QuietShop[];
	readonly persons: readonly QuietPerson[];
}

export interface QuietShop {
	readonly business: BusinessId;
	/** What people were told is saved. */
	readonly said: readonly { readonly id: string; readonly text: string }[];
	/** What a removed device shows as not taken, since another fact has its number. */
	readonly apart: readonly string[];
	/** Those that must hold everything by now. */
	readonly replicas: readonly { readonly name: string; readonly store: DeviceStore }[];
}

export interface QuietPerson {
	readonly person: string;
	readonly said: QuietShop['said'];
	readonly store: DeviceStore;
	/** What his app says he owes, by ledger and currency. */
	readonly totals: ReadonlyMap<string, bigint>;
	/** The ledgers at which his app says that he is connected. */
	readonly linked: ReadonlySet<string>;
}

interface StoredFact {
	readonly id: string;
	readonly s: string;
	readonly document: string | null;
	readonly branch: string | null;
	readonly text: string;
}

/** Every promise that does not hold; none where all do. */
export async function violationsOf(quiet: Quiet): Promise<readonly Violation[]> {
	const found: Violation[] = [];
	for (const shop of quiet.shops) found.push(...(await violationsOfShop(quiet, shop)));
	for (const { person, said, store, totals, linked } of quiet.persons) {
		const facts = await readFacts(quiet.sql, person);
		found.push(...saidOf({ said }, facts));
		found.push(...(await replicasOf({ replicas: [{ name: `phone of ${person}`, store }] }, facts)));
		found.push(...(await bridgedOf(quiet.sql, person, facts)));
		found.push(...(await sidesOf(quiet.sql, person, totals)));
		found.push(...(await linkedOf(quiet, person, linked)));
	}
	const scopes = [
		...quiet.shops.map(({ business }) => business),
		...quiet.persons.map(({ person }) => person)
	];
	for (const scope of scopes) {
		const facts = await readFacts(quiet.sql, scope);
		found.push(...(await gaplessOf(quiet.sql, scope, facts)));
		found.push(...(await documentsOf(quiet.sql, scope, facts)));
	}
	return found;
}

async function violationsOfShop(
	{ sql, codes }: Quiet,
	shop: QuietShop
): Promise<readonly Violation[]> {
	const facts = await readFacts(sql, shop.business);
	// What a removed device sent late waits for the owner.
	const late = await sql<StoredFact[]>`
		select code || '-' || n as id, text from late_fact where business = ${shop.business}`;
	return [
		...saidOf(shop, [...facts, ...late], shop.apart),
		...(await replicasOf(shop, facts)),
		...(await numbersOf(sql, shop, facts)),
		...(await timesOf(sql, shop, facts)),
		...receiptsOf(facts),
		...(await conservedOf(shop, facts)),
		...(await codesOf(sql, codes, { business: shop.business, facts }))
	];
}

async function readFacts(sql: Sql, scope: string): Promise<readonly StoredFact[]> {
	return sql<StoredFact[]>`
		select code || '-' || n as id, s, document, branch, text from fact
		where business = ${scope} order by s`;
}

/** A fact is there as it was written, or issued again under another name, which tells the first one. */
function saidOf(
	{ said }: Pick<QuietShop, 'said'>,
	facts: readonly StoredFact[],
	apart: readonly string[] = []
): readonly Violation[] {
	const held = new Set([...facts.map(({ text }) => text), ...apart].map(firstText));
	const textById = new Map(facts.map(({ id, text }) => [id, text]));
	return said.flatMap(({ id, text }): Violation[] => {
		if (held.has(firstText(text))) return [];
		const other = textById.get(id);
		const promise = other === undefined ? 'saved is never lost' : 'saved is never changed';
		return [{ promise, detail: `${id} at the relay: ${other ?? 'nothing'}; was ${text}` }];
	});
}

async function replicasOf(
	{ replicas }: Pick<QuietShop, 'replicas'>,
	facts: readonly StoredFact[]
): Promise<readonly Violation[]> {
	const found: Violation[] = [];
	const expected = new Map(facts.map(({ id, text }) => [id, text]));
	for (const { name, store } of replicas) {
		const rows = await store.read(['facts'], (read) => read.all('facts'));
		const held = new Map(rows.map(({ id, text }) => [String(id), text]));
		const gone = await letGoBy(store);
		const missing = [...expected].filter(
			([id, text]) => held.get(id) !== text && (held.has(id) || !gone.has(id) || !isReceipt(text))
		);
		const beyond = [...held.keys()].filter((id) => !expected.has(id));
		if (missing.length + beyond.length === 0) continue;
		const detail = `${name} lacks ${missing.map(([id]) => id).join()} and has beside ${beyond.join()}`;
		found.push({ promise: 'all replicas agree', detail });
	}
	return found;
}

async function numbersOf(
	sql: Sql,
	{ business, replicas }: QuietShop,
	facts: readonly StoredFact[]
): Promise<readonly Violation[]> {
	const found: Violation[] = [];
	const folded = numbersOfFacts(facts);
	for (const { name, store } of replicas) {
		const detail = difference(folded, await storedNumbers(store));
		if (detail !== undefined)
			found.push({ promise: 'a device counts what its facts say', detail: `${name}: ${detail}` });
	}
	const detail = difference(folded, await projectedNumbers(sql, business));
	if (detail !== undefined) found.push({ promise: 'the projections agree', detail });
	return found;
}

/** When each fact counts, by the facts alone, on every device and in the tables: to the last field. */
async function timesOf(
	sql: Sql,
	{ business, replicas }: QuietShop,
	facts: readonly StoredFact[]
): Promise<readonly Violation[]> {
	const found: Violation[] = [];
	const all = parsed(facts).map(({ fact }) => fact);
	const clocks = all.filter((fact) => fact.kind === 'clock');
	const expected: Record<string, string> = {};
	for (const fact of all) {
		const said = clocks.filter(({ factId }) => factId === fact.id).map(clockedTime);
		expected[fact.id] = timeText(inTime(fact, rulingTime(...said)));
	}
	for (const { name, store } of replicas) {
		const rows = await store.read(['facts'], (read) => read.all('facts'));
		const held = Object.fromEntries(
			rows.map(({ id, wall, counter, on }) => [id, timeText({ at: { wall, counter }, on })])
		);
		const there = Object.entries(expected).filter(([id]) => id in held);
		const detail = difference(Object.fromEntries(there), held);
		if (detail !== undefined)
			found.push({ promise: 'facts count at one time', detail: `${name}: ${detail}` });
	}
	const receipts = await sql<{ id: string; on: string; at: string }[]>`
		select code || '-' || n as id, on_day::text as on, happened_at as at from (
			select business, code, n, on_day, happened_at from sale
			union all select business, code, n, on_day, happened_at from sale_return
		) as receipt where business = ${business}`;
	for (const { id, on, at } of receipts) {
		const time = expected[id]?.split(' ') ?? [];
		if (time[0] !== on || time[1] !== at)
			found.push({ promise: 'facts count at one time', detail: `the table of receipts: ${id}` });
	}
	return [...found, ...(await stampsOf(sql, { business, replicas }))];
}

function timeText({ at: { wall, counter }, on }: FactTime): string {
	return `${on} ${String(wall)} ${String(counter)}`;
}

/** Which fact set each field, and where that stands in the order of facts. */
async function stampsOf(
	sql: Sql,
	{ business, replicas }: Pick<QuietShop, 'business' | 'replicas'>
): Promise<readonly Violation[]> {
	const expected: Record<string, string> = {};
	for (const row of await sql`select product, stamps from product where business = ${business}`)
		expected[String(row['product'])] = fieldsText(row['stamps'] as object);
	for (const row of await sql`select ledger, stamps from customer where business = ${business}`)
		expected[String(row['ledger'])] = fieldsText(row['stamps'] as object);
	const found: Violation[] = [];
	for (const { name, store } of replicas) {
		const held = await store.read(['products', 'customers'], async (read) => [
			...(await read.all('products')).map(({ id, stamps }) => [id, fieldsText(stamps)]),
			...(await read.all('customers')).map(({ ledger, stamps }) => [ledger, fieldsText(stamps)])
		]);
		const detail = difference(expected, Object.fromEntries(held) as Numbers);
		if (detail !== undefined)
			found.push({ promise: 'a field is of one fact', detail: `${name}: ${detail}` });
	}
	return found;
}

function difference(a: Numbers, b: Numbers): string | undefined {
	const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
	const other = [...keys].filter((key) => a[key] !== b[key]);
	if (other.length === 0) return undefined;
	return other
		.slice(0, 4)
		.map((key) => `${key}: ${a[key] ?? 'none'} and ${b[key] ?? 'none'}`)
		.join('; ');
}

async function projectedNumbers(sql: Sql, business: BusinessId): Promise<Numbers> {
	const numbers: Record<string, string> = {};
	const of = sql`where business = ${business}`;
	for (const row of await sql`select branch, product, thousandths from stock ${of}`)
		numbers[`stock ${String(row['branch'])} ${String(row['product'])}`] = String(
			row['thousandths']
		);
	for (const row of await sql`select * from day_total ${of}`)
		numbers[`day ${String(row['branch'])} ${String(row['on_day'])}`] = DAY_TOTAL_NAMES.map((name) =>
			String(row[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)])
		).join();
	for (const row of await sql`select * from balance ${of}`)
		numbers[`balance ${String(row['ledger'])} ${currencyKey(row as never)}`] = SUMS.map((name) =>
			String(row[name])
		).join();
	for (const row of await sql`select product, fields from product ${of}`)
		numbers[`product ${String(row['product'])}`] = fieldsText(row['fields'] as object);
	for (const row of await sql`select ledger, fields from customer ${of}`)
		numbers[`customer ${String(row['ledger'])}`] = fieldsText(row['fields'] as object);
	for (const row of await sql`select fields from setting ${of}`)
		for (const [field, value] of Object.entries(row['fields'] as object))
			numbers[`setting ${field}`] = String(value);
	return numbers;
}

const SUMS = ['confirmed', 'waiting', 'credited', 'disputed', 'total'];

function fieldsText(fields: object): string {
	return JSON.stringify(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function receiptsOf(facts: readonly StoredFact[]): readonly Violation[] {
	const seen = new Map<string, string>();
	const found: Violation[] = [];
	for (const { fact } of parsed(facts)) {
		// What a fork's heir issues again keeps its number, and says so.
		if ((fact.kind !== 'sale' && fact.kind !== 'return') || fact.was !== undefined) continue;
		const number = receiptNumber(fact.code, fact.receipt);
		const other = seen.get(number);
		if (other !== undefined)
			found.push({
				promise: 'receipt numbers are unique',
				detail: `${number}: ${other} and ${fact.id}`
			});
		seen.set(number, fact.id);
	}
	return found;
}

function parsed(
	facts: readonly StoredFact[]
): readonly { readonly fact: Fact; readonly branch: string }[] {
	return facts.flatMap(({ text, branch }) => {
		const fact = parseFact(text);
		return fact.ok ? [{ fact: fact.value, branch: branch ?? '' }] : [];
	});
}

/** Added up in another way than any of the folds: what all facts move, and what all tables came to. */
async function conservedOf(
	{ replicas }: QuietShop,
	facts: readonly StoredFact[]
): Promise<readonly Violation[]> {
	const [first] = replicas;
	if (first === undefined) return [];
	let goods = 0n;
	for (const { fact } of parsed(facts))
		for (const { deltaThousandths } of effectsOf(fact).stock) goods += BigInt(deltaThousandths);
	const money = moneyOf(facts);
	const numbers = await storedNumbers(first.store);
	const sumOf = (prefix: string, place: number): bigint =>
		Object.entries(numbers).reduce(
			(sum, [key, text]) =>
				key.startsWith(prefix) ? sum + BigInt(text.split(',').at(place) ?? 0) : sum,
			0n
		);
	const found: Violation[] = [];
	if (sumOf('stock ', 0) !== goods)
		found.push({ promise: 'goods are conserved', detail: `${String(goods)} moved` });
	// What a customer disputes stands apart from what he owes, and is moved all the same.
	if (sumOf('balance ', -1) + sumOf('balance ', -2) !== money)
		found.push({ promise: 'money is conserved', detail: `${String(money)} moved` });
	return found;
}

/** Nobody guesses here: what is told at a counter was given out, perhaps before another set, or a restore. */
const GUESSED: readonly string[] = ['wrong', 'locked', 'unread'];

/**
 * Until when (ms) codes of a ledger could be told from guesses, where a restore forgot what they came from: until
 * there was a set of another secret.
 */
async function keptOf(sql: Sql): Promise<ReadonlyMap<string, number>> {
	const rows = await sql<{ ledger: string; to: string }[]>`
		select ledger, min(issued_at) as to
		from ledger_link join person_secret using (person) join sheet_set using (business, ledger)
		where version = 1 and created_at >= (select max(started_at) from database_epoch)
			and issued_at >= created_at and (select count(*) from database_epoch) > 1
		group by ledger`;
	return new Map(rows.map(({ ledger, to }) => [ledger, Number(to)]));
}

/** However often and by whomever it is told: one code, one record. */
async function codesOf(
	sql: Sql,
	given: Quiet['codes'],
	{ business, facts }: { readonly business: BusinessId; readonly facts: readonly StoredFact[] }
): Promise<readonly Violation[]> {
	const claims = new Map<string, Claim>();
	for (const { fact } of parsed(facts))
		if (fact.kind === 'claim') claims.set(fact.claim.id, fact.claim);
	const rows = await sql<{ claim: string; ledger: string; h: string; v: Uint8Array }[]>`
		select claim, ledger, h, v from claim_judged where business = ${business}`;
	const recordByCode = new Map<string, string>();
	const found: Violation[] = [];
	const kept = await keptOf(sql);
	for (const { claim, ledger, h, v } of rows) {
		const verdict = parseVerdict(new Uint8Array(v));
		const result = verdict.ok ? verdict.value.result : 'unread';
		const told = claims.get(claim);
		const code = `${ledger} ${told?.code ?? claim}`;
		// By ten bits a till may take a code of a set that ended for one that is open: a claim names one counter.
		const isMeant = told?.counter === given.get(told?.code ?? '');
		const isLost = verdict.ok && verdict.value.at >= (kept.get(ledger) ?? Infinity);
		if (GUESSED.includes(result) && isMeant && !isLost)
			found.push({ promise: 'a code that was given out is no guess', detail: `${h}: ${result}` });
		if (result !== 'ok') continue;
		const other = recordByCode.get(code);
		if (other !== undefined && other !== h)
			found.push({ promise: 'a code confirms one record', detail: `${code}: ${other} and ${h}` });
		recordByCode.set(code, h);
	}
	return found;
}

/** Each record of a linked ledger is with its customer, once; his answers are with the shop, once. */
async function bridgedOf(
	sql: Sql,
	person: string,
	facts: readonly StoredFact[]
): Promise<readonly Violation[]> {
	// Of a relay that was restored the new one's and the old one's may both be there; they count once.
	const booked = new Map<string, Set<string>>();
	const twice: string[] = [];
	for (const { fact } of parsed(facts)) {
		if (fact.kind !== 'booked') continue;
		const { recordId } = fact.record.core;
		const epochs = booked.get(recordId) ?? new Set();
		if (epochs.has(fact.code)) twice.push(recordId);
		booked.set(recordId, epochs.add(fact.code));
	}
	const rows = await sql<{ record: string }[]>`
		select record.record from record join ledger_link using (business, ledger)
		where ledger_link.person = ${person} and ledger_link.state = 'linked'`;
	const lacking = rows.filter(({ record }) => !booked.has(record)).map(({ record }) => record);
	if (lacking.length + twice.length === 0) return [];
	const detail = `${person} lacks ${lacking.join()} and has twice ${twice.join()}`;
	return [{ promise: 'the bridge carries each record once', detail }];
}

/** The customer's one number is the shop's. */
async function sidesOf(
	sql: Sql,
	person: string,
	totals: QuietPerson['totals']
): Promise<readonly Violation[]> {
	const rows = await sql<{ ledger: string; currency: string; total: string }[]>`
		select balance.ledger, balance.currency, balance.total
		from balance join ledger_link using (business, ledger)
		where ledger_link.person = ${person} and ledger_link.state = 'linked'`;
	const other = rows.filter(
		({ ledger, currency, total }) => (totals.get(`${ledger} ${currency}`) ?? 0n) !== BigInt(total)
	);
	if (other.length === 0) return [];
	const detail = other.map(
		({ ledger, currency, total }) =>
			`${ledger}: ${total} in the shop, ${String(totals.get(`${ledger} ${currency}`) ?? 0n)} on the phone`
	);
	return [{ promise: 'both sides see one number', detail: detail.join('; ') }];
}

/** Who is connected is told so on both sides, and nobody else is. */
async function linkedOf(
	{ sql, shops }: Quiet,
	person: string,
	shown: ReadonlySet<string>
): Promise<readonly Violation[]> {
	const rows = await sql<{ business: string; ledger: string }[]>`
		select business, ledger from ledger_link where person = ${person} and state = 'linked'`;
	const linked = new Set(rows.map(({ ledger }) => ledger));
	const apart = [...linked.symmetricDifference(shown)].map((ledger) => `phone: ${ledger}`);
	for (const { name, store } of shops.flatMap(({ replicas }) => replicas)) {
		const held = await store.read(['links'], (read) => read.all('links'));
		for (const { ledger, state } of held) {
			const isOne = await sql`
				select from ledger_link where ledger = ${ledger} and state = 'linked'`;
			if ((state === 'linked') !== isOne.length > 0) apart.push(`${name}: ${ledger}`);
		}
	}
	if (apart.length === 0) return [];
	return [{ promise: 'both sides see who is connected', detail: `${person} ${apart.join('; ')}` }];
}

/** All debits less all credits; what names a debit gives back no more than that debit, however often. */
function moneyOf(facts: readonly StoredFact[]): bigint {
	const records = new Map(
		parsed(facts).flatMap(({ fact }) =>
			effectsOf(fact).records.map((record) => [hashOf(record.signed.a), record] as const)
		)
	);
	const backByDebit = new Map<string, bigint>();
	let money = 0n;
	for (const { core, rest } of records.values()) {
		const amount = BigInt(core.amount);
		if (isDebit(core.kind)) money += amount;
		else if (core.kind !== 'statement') {
			const debit = rest.ref === undefined ? undefined : records.get(rest.ref)?.core;
			const before = backByDebit.get(rest.ref ?? '') ?? 0n;
			const left = debit === undefined ? amount : BigInt(debit.amount) - before;
			const back = amount < left ? amount : left;
			if (debit !== undefined) backByDebit.set(rest.ref ?? '', before + back);
			money -= back;
		}
	}
	return money;
}

function hashOf(a: Uint8Array): RecordHash {
	const bytes = concatBytes(tag('cp/rec/v1'), a);
	return recordHashOf(new Uint8Array(createHash('sha256').update(bytes).digest()));
}

async function gaplessOf(
	sql: Sql,
	scope: string,
	facts: readonly StoredFact[]
): Promise<readonly Violation[]> {
	const [head] = await sql<{ s: string }[]>`select s from feed_head where business = ${scope}`;
	const gap = facts.findIndex(({ s }, at) => Number(s) !== at + 1);
	const last = Number(head?.s ?? 0);
	if (gap === -1 && last === facts.length) return [];
	const detail = `${scope}: of ${String(facts.length)} facts the one at ${String(gap)}; head ${String(last)}`;
	return [{ promise: 'the feed has no gap', detail }];
}

/** Each document holds its facts, each under its own key, and nothing else. */
async function documentsOf(
	sql: Sql,
	scope: string,
	facts: readonly StoredFact[]
): Promise<readonly Violation[]> {
	const rows = await sql<{ document: string; update: Uint8Array }[]>`
		select document, update from document_update where business = ${scope}
		order by document, sequence`;
	const heldByDocument = new Map<string, Map<string, string>>();
	for (const { document, update } of rows) {
		const held = heldByDocument.get(document) ?? new Map<string, string>();
		heldByDocument.set(document, held);
		const read = parseUpdate(new Uint8Array(update));
		if (!read.ok) return [{ promise: 'documents can be read', detail: document }];
		for (const { key, text } of read.value.items)
			if (key !== undefined && text !== undefined) held.set(key, text);
	}
	const found: Violation[] = [];
	for (const { id, text, document } of facts) {
		if (document === null) continue;
		const held = heldByDocument.get(document)?.get(id);
		if (held !== text)
			found.push({
				promise: 'documents hold the facts',
				detail: `${document} ${id}: ${held ?? 'none'}`
			});
	}
	const known = new Map(facts.map(({ id, text }) => [id, text]));
	for (const [document, held] of heldByDocument)
		for (const [id, text] of held)
			if (known.get(id) !== text)
				found.push({ promise: 'documents hold facts only', detail: `${document} ${id}` });
	return found;
}
