import type { Sql } from 'postgres';
import { encodeBase64url } from '#domain/bytes.ts';
import { recordHash, type RecordHash } from '#domain/confirmation/record-hash.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import type { Fact, FactRecord, FactTender, RecordFact, SoldLine } from '#domain/fact/fact.ts';
import { firstName } from '#domain/fact/issued-again.ts';
import {
	BOOKED_LINES_MAX,
	type AnsweredFact,
	type BookedLine,
	type BookedMore,
	type ToldRow
} from '#domain/fact/ledger-fact.ts';
import type { BranchId, BusinessId, DeviceCode, LedgerId, PersonId } from '#domain/ids.ts';
import type { RelayFactDraft } from '#server/auth/relay-fact-draft.ts';
import type { DayRoom, Way } from './day-limit.ts';

/** A fact of a business as its feed has it. */
export interface ShopFact {
	readonly branch: BranchId | null;
	readonly fact: Fact;
}

/** Something of a shop's book that its customer is to hold. */
export interface Carry {
	readonly ledger: LedgerId;
	/** Carried once ever under this name: a record by its H, another fact by its id. */
	readonly key: string;
	readonly branch: BranchId | null;
	/** By the stamp of the shop's fact, ms. */
	readonly wroteAt: number;
	readonly draft: RelayFactDraft;
	/** Of an answer: the key that signed it. Whose it is has it already. */
	readonly signer?: string;
}

export interface CarryParts {
	readonly sql: Sql;
	readonly business: BusinessId;
	readonly crypto: CryptoParts;
}

/** What these facts hold for the customers of `business`, whoever is linked. */
export async function carriesOf(
	parts: CarryParts,
	facts: readonly ShopFact[]
): Promise<readonly Carry[]> {
	const names = await readMembers(parts);
	const found = await Promise.all(
		facts.map(async (of) => [...(await recordsOf(of, parts, names)), ...(await wordsOf(of, parts))])
	);
	return found.flat();
}

type Names = ReadonlyMap<number, string>;

async function readMembers({ sql, business }: CarryParts): Promise<Names> {
	const rows = await sql<{ member: number; name: string }[]>`
		select member, name from member where business = ${business}`;
	return new Map(rows.map(({ member, name }) => [member, name]));
}

async function recordsOf(
	{ fact, branch }: ShopFact,
	{ business, crypto }: CarryParts,
	names: Names
): Promise<readonly Carry[]> {
	const { records } = effectsOf(fact);
	return Promise.all(
		records.map(async (record, place): Promise<Carry> => {
			const { ledgerId } = record.core;
			const more = { ...writerOf(fact, names), ...moreOf(fact, record, place) };
			return {
				ledger: ledgerId,
				key: await recordHash(record.signed.a, crypto),
				branch,
				wroteAt: fact.at.wall,
				draft: { kind: 'booked', businessId: business, ledgerId, record, more, branch: null }
			};
		})
	);
}

function writerOf(fact: Fact, names: Names): Pick<BookedMore, 'writer' | 'd'> {
	const writer = names.get(fact.by);
	return { ...(writer !== undefined && { writer }), d: firstName(fact).code as DeviceCode };
}

/** The goods of a sale, and what a shop's answer or statement says beside its records. */
function moreOf(fact: Fact, record: FactRecord, place: number): BookedMore {
	switch (fact.kind) {
		case 'sale':
			return { lines: linesOf(fact.lines), tenders: tendersOf(fact.tenders) };
		case 'return':
			return { lines: linesOf(fact.lines), tenders: tendersOf(fact.refunds) };
		case 'record':
			return besideRecord(fact, record, place);
		default:
			return {};
	}
}

/** What is said of goods, so that the record beside them has room. */
const LINES_BYTES_MAX = 40_000;

/** As many as have room: names may be long, and of letters that are written long. */
function linesOf(lines: readonly SoldLine[]): readonly BookedLine[] {
	const booked: BookedLine[] = [];
	let room = LINES_BYTES_MAX;
	for (const line of lines.slice(0, BOOKED_LINES_MAX)) {
		const one = [
			line.name,
			line.quantityThousandths,
			line.unitPriceMinor,
			line.totalMinor
		] as const;
		room -= Buffer.byteLength(JSON.stringify(one));
		if (room < 0) break;
		booked.push(one);
	}
	return booked;
}

function tendersOf(tenders: readonly FactTender[]): NonNullable<BookedMore['tenders']> {
	return tenders.map(({ kind, minor }) => [kind, minor]);
}

function besideRecord(
	{ answer, list, isLate, tender }: RecordFact,
	{ core }: FactRecord,
	place: number
): BookedMore {
	return {
		...(tender !== undefined && { tenders: [[tender, core.amount]] }),
		...(answer !== undefined && place === 0 && { answer: [answer.h, answer.way, answer.note] }),
		...(list !== undefined && core.kind === 'statement' && { list }),
		...(isLate === true && { late: true })
	};
}

/** A promise, a moved due date, an answer, and that the shop stands by a record. */
async function wordsOf({ fact, branch }: ShopFact, parts: CarryParts): Promise<readonly Carry[]> {
	const told = (ledger: LedgerId, row: ToldRow, saidAt?: number): readonly Carry[] => {
		const of = { businessId: parts.business, ledgerId: ledger, branch: null };
		const stamp = saidAt === undefined ? {} : { saidAt };
		const wroteAt = fact.at.wall;
		return [
			{ ledger, key: fact.id, branch, wroteAt, draft: { kind: 'told', ...of, row, ...stamp } }
		];
	};
	if (fact.kind === 'entry' && fact.ledgerId !== 0) {
		const { row, at } = fact;
		if (row[0] !== 'promise' && row[0] !== 'dueMove') return [];
		// BRIDGE-23. Of several the latest counts, and which that is says the shop's stamp on both sides.
		return told(fact.ledgerId, row, at.wall);
	}
	if (fact.kind === 'answered') return [answerOf(fact, parts.business, branch)];
	if (fact.kind !== 'record' || fact.answer?.way !== 'insist') return [];
	const { h, note } = fact.answer;
	const ledger = await ledgerOfRecord(parts, h);
	return ledger === undefined ? [] : told(ledger, ['insist', h, note]);
}

/** BRIDGE-16. It counts from when it was filed, whoever hears of it later. */
function answerOf(fact: AnsweredFact, business: BusinessId, branch: BranchId | null): Carry {
	const { id, at, ledgerId, h, decision, answerN, signedAt, sig, key, reason, note } = fact;
	const body = { ledgerId, h, decision, answerN, signedAt, sig, key, reason, note };
	const wroteAt = at.wall;
	const of = { businessId: business, branch: null, saidAt: wroteAt };
	return {
		...{ ledger: ledgerId, key: id, branch, wroteAt, signer: key },
		draft: { kind: 'filed', ...body, ...of }
	};
}

/** What is of these ledgers, without what the people who stand there answered themselves. */
export async function byOthers(
	sql: Sql,
	ways: readonly Way[],
	carries: readonly Carry[]
): Promise<readonly Carry[]> {
	const personByLedger = new Map(ways.map(({ ledger, person }) => [ledger, person]));
	const ofThem = carries.filter(({ ledger }) => personByLedger.has(ledger));
	const people = ofThem.flatMap(({ ledger, signer }) =>
		signer === undefined ? [] : (personByLedger.get(ledger) ?? [])
	);
	if (people.length === 0) return ofThem;
	const rows = await sql<{ person: PersonId; public_key: Uint8Array }[]>`
		select person, public_key from phone where person = any(${people}::uuid[])`;
	const own = new Set(
		rows.map((row) => `${row.person} ${encodeBase64url(new Uint8Array(row.public_key))}`)
	);
	return ofThem.filter(
		({ ledger, signer = '' }) => !own.has(`${String(personByLedger.get(ledger))} ${signer}`)
	);
}

async function ledgerOfRecord(
	{ sql, business }: CarryParts,
	h: RecordHash
): Promise<LedgerId | undefined> {
	const [row] = await sql<{ ledger: LedgerId }[]>`
		select ledger from record where business = ${business} and h = ${h} limit 1`;
	return row?.ledger;
}

/** BRIDGE-8. Of these, those that the person does not hold yet, as far as there is room today. */
export async function takeWithin(
	parts: CarryParts,
	room: DayRoom,
	{
		carries,
		now,
		max
	}: { readonly carries: readonly Carry[]; readonly now: number; readonly max: number }
): Promise<readonly Carry[]> {
	const unheld = await unheldOf(parts, room.person, carries);
	const today = room.isFilling ? unheld : unheld.slice(0, Math.max(0, max - room.count));
	room.isBehind ||= today.length < unheld.length;
	const fresh = await takeFresh(parts, room.person, { carries: today, now });
	room.count += fresh.length;
	return fresh;
}

async function unheldOf(
	{ sql, business }: CarryParts,
	person: PersonId,
	carries: readonly Carry[]
): Promise<readonly Carry[]> {
	if (carries.length === 0) return [];
	const rows = await sql<{ ledger: string; key: string }[]>`
		select ledger, key from bridged
		where business = ${business} and person = ${person} and (ledger, key) in (
			select * from unnest(
				${carries.map(({ ledger }) => ledger)}::uuid[],
				${carries.map(({ key }) => key)}::text[]
			)
		)`;
	const held = new Set(rows.map(({ ledger, key }) => `${ledger} ${key}`));
	return carries.filter(({ ledger, key }) => !held.has(`${ledger} ${key}`));
}

/** Of these, those that the person does not hold yet; from now on he does. */
export async function takeFresh(
	{ sql, business }: CarryParts,
	person: PersonId,
	{ carries, now }: { readonly carries: readonly Carry[]; readonly now: number }
): Promise<readonly Carry[]> {
	if (carries.length === 0) return [];
	const rows = await sql<{ ledger: string; key: string }[]>`
		insert into bridged (business, ledger, person, key, branch, wrote_at, booked_at)
		select ${business}::uuid, ledger, ${person}::uuid, key, branch, wrote_at, ${now}
		from unnest(
			${carries.map(({ ledger }) => ledger)}::uuid[],
			${carries.map(({ key }) => key)}::text[],
			${carries.map(({ branch }) => branch)}::uuid[],
			${carries.map(({ wroteAt }) => wroteAt)}::bigint[]
		) as given (ledger, key, branch, wrote_at)
		on conflict do nothing
		returning ledger, key`;
	const fresh = new Set(rows.map(({ ledger, key }) => `${ledger} ${key}`));
	return carries.filter(({ ledger, key }) => fresh.delete(`${ledger} ${key}`));
}
