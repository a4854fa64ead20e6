import { businessDayOf, isZone } from '#domain/calendar.ts';
import { encodeHex, utf8 } from '#domain/bytes.ts';
import type { CryptoParts, Signer } from '#domain/crypto.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { FactHead } from '#domain/fact/fact.ts';
import type { ReplyFact, SeenFact } from '#domain/fact/ledger-fact.ts';
import { factId } from '#domain/ids.ts';
import { bearableMs, compareStamps, nextStamp, type Stamp } from '#domain/stamp.ts';
import type {
	DeviceStore,
	FactRow,
	JournalRow,
	StoreReader,
	StoreWriter
} from '#storage/device-store.ts';
import { throwWhereOver } from '../book-end.ts';
import type { Changes } from '../changes.ts';
import { openDocuments } from '../linked-device.ts';
import { readMeta, writeMeta } from '../meta.ts';
import { wasWritten } from '../was-written.ts';
import { personRow } from './person-row.ts';
import type { PhoneIdentity } from './phone-identity.ts';

/** What a customer's phone is made of. */
export interface PhoneParts {
	readonly store: DeviceStore;
	readonly signer: Signer;
	readonly crypto: CryptoParts;
	/** This phone's own clock, ms; corrected by the offset that the relay taught. */
	readonly clock: () => number;
	/** The zone that this phone is in, by its own word. */
	readonly zone: () => string;
	/** Chance for what an act knows itself again by. */
	readonly token: () => string;
	readonly changes: Changes;
}

/** The moment of an act: what its facts are called, and when they are written. */
export interface PhoneMoment {
	/** By the corrected clock, ms. */
	readonly nowMs: number;
	/** The head of the act's fact number `place`, from 0. */
	head(place: number): FactHead;
}

/** Facts that an act wrote, and the money that they tell of, minor units. */
export interface Written {
	readonly fact: ReplyFact | SeenFact;
	readonly minor: bigint;
}

const ATTEMPTS_MAX = 5;
/** The person himself: a phone has no members. */
const BY_PERSON = 1;

/**
 * The one way in which a phone writes: decide and sign, then one durable transaction that holds
 * journal, sequence and facts, and that asserts the sequence to be the one decided upon. Another tab
 * may have written meanwhile: then all of it is decided again.
 */
export async function writeOnPhone<T>(
	parts: PhoneParts,
	{ identity, kept }: Writer,
	decide: (moment: PhoneMoment) => Promise<Deciding<T>>
): Promise<T> {
	for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
		const basis = await readBasis(parts);
		const { facts, value } = await decide(momentOf(parts, identity, basis));
		if (facts.length === 0) return value;
		const rows = await keep(parts, { identity, basis, facts });
		if (rows === undefined) continue;
		kept(rows);
		parts.changes.tell(['meta', 'journal', 'facts']);
		return value;
	}
	throw new Error('another tab keeps writing before this one');
}

export interface Writer {
	readonly identity: PhoneIdentity & { readonly code: string };
	/** Hears what is on disk now, before anybody else. */
	readonly kept: (rows: readonly FactRow[]) => void;
}

export interface Deciding<T> {
	readonly facts: readonly Written[];
	readonly value: T;
}

interface Basis {
	readonly n: number;
	readonly stamp: Stamp;
	readonly nowMs: number;
}

async function readBasis({ store, clock }: PhoneParts): Promise<Basis> {
	return store.read(['meta'], async (rows) => ({
		n: await lastN(rows),
		stamp: (await readMeta(rows, 'stamp')) ?? { wall: 0, counter: 0 },
		nowMs: bearableMs(clock() + ((await readMeta(rows, 'offset')) ?? 0))
	}));
}

async function lastN(rows: StoreReader): Promise<number> {
	return (await readMeta(rows, 'sequence'))?.n ?? 0;
}

function momentOf(
	{ zone }: PhoneParts,
	{ code }: { readonly code: string },
	{ n, stamp, nowMs }: Basis
): PhoneMoment {
	const first = nextStamp(stamp, nowMs);
	const here = zone();
	const on = businessDayOf(nowMs, isZone(here) ? here : 'UTC', 0);
	return {
		nowMs,
		head: (place) => {
			const own = n + 1 + place;
			const at = { wall: first.wall, counter: first.counter + place };
			return { id: factId(code, own), code, n: own, at, on, by: BY_PERSON };
		}
	};
}

interface Keeping extends Pick<Writer, 'identity'> {
	readonly basis: Basis;
	readonly facts: readonly Written[];
}

/** Undefined where the sequence is no longer the one that the facts were numbered by. */
async function keep(
	parts: PhoneParts,
	{ identity, basis, facts }: Keeping
): Promise<readonly FactRow[] | undefined> {
	const [document] = openDocuments(
		{ identity: { person: identity.person, code: identity.code, claimed: true } },
		basis.nowMs
	);
	const act = parts.token();
	const journal: JournalRow[] = [];
	for (const { fact, minor } of facts) {
		const text = encodeFact(fact);
		const digest = encodeHex((await parts.crypto.sha256(utf8(text))).subarray(0, 8));
		const { n, id, at } = fact;
		journal.push({ n, id, document, text, digest, sent: 0, at: at.wall, minor, act });
	}
	const kept = facts.map(({ fact }, place) =>
		personRow({ kind: 'other', fact }, journal[place]?.text ?? '')
	);
	const isWritten = await parts.store.write(
		['meta', 'journal', 'backedUp', 'facts'],
		async (rows) => {
			await throwWhereOver(rows, 'phone');
			const there = await lastN(rows);
			if (there !== basis.n) return wasWritten(rows, journal, there);
			await rows.put('journal', journal);
			await rows.put('facts', kept);
			await writeMeta(rows, 'sequence', { n: basis.n + facts.length, receipt: 0 });
			const last = facts.at(-1)?.fact.at;
			if (last !== undefined) await raiseStamp(rows, last);
			return true;
		}
	);
	return isWritten ? kept : undefined;
}

async function raiseStamp(rows: StoreWriter, stamp: Stamp): Promise<void> {
	const seen = (await readMeta(rows, 'stamp')) ?? stamp;
	await writeMeta(rows, 'stamp', compareStamps(stamp, seen) > 0 ? stamp : seen);
}
