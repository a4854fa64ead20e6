import { encodeBase64url } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { issueAgain } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { factId, type PersonId } from '#domain/ids.ts';
import { isPersonFact } from '#domain/person/held-fact.ts';
import { assert } from '#domain/assert.ts';
import { ok, type Result } from '#domain/result.ts';
import type { DeviceStore, FactRow, JournalRow } from '#storage/device-store.ts';
import type { PhoneName } from '../account-api.ts';
import { createChanges } from '../changes.ts';
import { beginCarry, isOfRestored } from '../enter-epoch.ts';
import { journaled } from '../have.ts';
import {
	askLacking,
	catchUp,
	heirToBe,
	isToIssue,
	leftOf,
	NOTHING_ASKED,
	takenOver,
	type Answered,
	type HeirApi,
	type HeirParts
} from '../heir.ts';
import { digestOf } from '../journal-digest.ts';
import type { LinkedPhone } from '../linked-device.ts';
import { readMeta, writeMeta, type Inheritance, type MetaValues } from '../meta.ts';
import type { RelayRefusal } from '../relay-http.ts';
import type { Enrolled } from './connections.ts';
import { openPhone } from './open-phone.ts';
import { personRow } from './person-row.ts';
import type { PhoneIdentity } from './phone-identity.ts';
import type { PhoneParts } from './phone-path.ts';

/** What a phone that takes another's place asks of the relay. */
export interface PhoneHeirApi {
	takePlace(
		old: PhoneName,
		keys: { readonly old: Signer; readonly heir: Signer }
	): Promise<Result<Enrolled, RelayRefusal>>;
	as(phone: PhoneName, signer: Signer): ReturnType<HeirApi['as']>;
}

export interface PhoneHeirParts
	extends
		Pick<HeirParts, 'old' | 'oldName' | 'oldSigner' | 'createKeys' | 'signerOf'>,
		Pick<PhoneParts, 'crypto' | 'clock' | 'zone' | 'token'> {
	readonly person: PersonId;
	readonly openBook: (code: string) => DeviceStore;
	readonly api: PhoneHeirApi;
}

export interface NewPhoneBook {
	readonly code: string;
	readonly store: DeviceStore;
	/** How many facts were issued again. */
	readonly issued: number;
}

/**
 * HEIR-6. Makes the book of a customer's phone that goes on in this one's place, as `becomeHeir` does
 * for a shop's device: a number and key of its own, what the relay holds of the person, and every own
 * answer that it lacks.
 */
export async function becomePhoneHeir(
	parts: PhoneHeirParts
): Promise<Result<NewPhoneBook, RelayRefusal>> {
	const { old, api, person } = parts;
	const before = await old.read(['meta'], (rows) => readMeta(rows, 'phone'));
	const code = before?.code;
	assert(before !== undefined && code !== undefined, 'only an enrolled phone has a line');
	const { keys } = await heirToBe(parts);
	const signer = await parts.signerOf(keys);
	const taken = await api.takePlace({ person, code }, { old: parts.oldSigner, heir: signer });
	if (!taken.ok) return taken;

	const { epoch } = taken.value;
	const identity: PhoneIdentity = {
		person,
		code: taken.value.code,
		publicKey: encodeBase64url(signer.publicKey),
		since: taken.value.year
	};
	const store = parts.openBook(taken.value.code);
	await beginBook(parts, store, { identity, keys, before: code, epoch });
	const phone = await openPhone({ ...parts, store, signer, changes: createChanges() }, person);
	const relay = api.as({ person, code: taken.value.code }, signer);
	const caughtUp = await catchUp(phone.linked, store, { http: relay.http, epoch });
	if (!caughtUp.ok) return caughtUp;
	const answered = await askLacking(parts, { ask: relay.lacking, epoch });
	if (!answered.ok) return answered;
	await takeOthers(old, { phone: phone.linked, code });
	const issued = await carryPhoneOver({ ...parts, store }, answered.value);
	await old.write(['meta'], (rows) => writeMeta(rows, 'heir', { keys, code: taken.value.code }));
	return ok({ code: taken.value.code, store, issued });
}

/** The small things that belong to the person, and to nobody's numbers. */
export const PHONE_CARRIED_META: readonly (keyof MetaValues)[] = [
	'offset',
	'contactAt',
	'secrets',
	'secret',
	'readUpTo'
];

interface Beginning {
	readonly identity: PhoneIdentity;
	readonly keys: CryptoKeyPair;
	readonly before: string;
	/** Of the relay's database. */
	readonly epoch: number;
}

/** The new database: whose it is, its key, and what a person's codes are made from. */
async function beginBook(
	{ old, oldName, clock }: PhoneHeirParts,
	store: DeviceStore,
	{ identity, keys, before, epoch }: Beginning
): Promise<void> {
	const carried = await old.read(['meta'], async (rows) => ({
		meta: await rows.getMany('meta', PHONE_CARRIED_META),
		isRestored: await isOfRestored(rows, epoch),
		nowMs: clock() + ((await readMeta(rows, 'offset')) ?? 0)
	}));
	await store.write(['meta'], async (rows) => {
		// Of one that was begun before the restore as well.
		if (carried.isRestored) await beginCarry(rows, epoch);
		if ((await readMeta(rows, 'phone')) !== undefined) return;
		await writeMeta(rows, 'phone', identity);
		await writeMeta(rows, 'keys', keys);
		await rows.put(
			'meta',
			carried.meta.filter((row) => row !== undefined)
		);
		const at = carried.nowMs;
		const inheritance = { code: before, book: oldName, at, upTo: 0, names: [], known: [] };
		await writeMeta(rows, 'inheritance', inheritance);
	});
}

interface Taking {
	readonly phone: Pick<LinkedPhone, 'receive'>;
	/** Whose book the old one is. */
	readonly code: string;
	/** What it says no to stays there. */
	readonly isWanted?: (fact: Fact) => boolean;
}

/**
 * HEIR-5. Brings along what the old book holds and does not issue again itself: a restored relay may have
 * forgotten it.
 */
export async function takeOthers(
	old: DeviceStore,
	{ phone, code, isWanted = () => true }: Taking
): Promise<void> {
	const others = await old.read(['facts', 'journal'], async (rows) => {
		const held = await rows.all('facts');
		const own = await journaled(rows, held, code);
		return held.filter(({ id }) => !own.has(id));
	});
	const wanted = others.filter(({ text }) => {
		const fact = parseFact(text);
		return !fact.ok || isWanted(fact.value);
	});
	await phone.receive(wanted.map(({ text }) => ({ text, branch: null })));
}

interface Issued {
	readonly from: number;
	readonly row: JournalRow;
	readonly fact: FactRow | undefined;
}

interface Issuing extends Pick<PhoneHeirParts, 'old' | 'crypto'> {
	readonly store: DeviceStore;
}

const ATTEMPTS_MAX = 5;

/**
 * Issues the own facts of the old book that were not looked at yet: of those that the relay was asked
 * for, only what it lacks. Answers how many. Another tab may write meanwhile: then it is looked again.
 */
export async function carryPhoneOver(
	parts: Issuing,
	answered: Answered = NOTHING_ASKED
): Promise<number> {
	for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
		const issued = await issueOnce(parts, answered);
		if (issued !== undefined) return issued;
	}
	throw new Error('another tab keeps writing before the book is carried over');
}

async function issueOnce(
	{ old, store, crypto }: Issuing,
	answered: Answered
): Promise<number | undefined> {
	const basis = await store.read(['meta'], async (rows) => ({
		inheritance: await readMeta(rows, 'inheritance'),
		code: (await readMeta(rows, 'phone'))?.code,
		n: (await readMeta(rows, 'sequence'))?.n ?? 0
	}));
	const { inheritance, code, n } = basis;
	if (inheritance === undefined || code === undefined) return 0;
	const left = await old.read(['journal'], (rows) => leftOf(rows, inheritance, answered));
	const toIssue = left.filter((row) => isToIssue(row, answered));
	const issued: Issued[] = [];
	for (const [place, row] of toIssue.entries())
		issued.push(await issue(row, { code, n: n + place + 1 }, crypto));
	const isKept = await keepIssued(store, issued, { inheritance, n, left });
	return isKept ? issued.length : undefined;
}

async function issue(
	old: JournalRow,
	{ code, n }: { readonly code: string; readonly n: number },
	crypto: PhoneHeirParts['crypto']
): Promise<Issued> {
	const id = factId(code, n);
	const parsed = parseFact(old.text);
	const fact = parsed.ok ? parsed.value : null;
	const text = issueAgain(old.text, fact, { id, renamed: new Map() });
	const row = { ...old, n, id, text, digest: await digestOf(text, crypto), sent: 0 as const };
	const again = parseFact(text);
	const isHeld = again.ok && isPersonFact(again.value);
	return {
		from: old.n,
		row,
		fact: isHeld ? personRow({ kind: 'other', fact: again.value } as Held, text) : undefined
	};
}

/** What a phone writes itself is neither a record nor a card. */
type Held = Parameters<typeof personRow>[0];

interface Kept {
	readonly inheritance: Inheritance;
	readonly n: number;
	/** What was looked at in the old book. */
	readonly left: readonly JournalRow[];
}

/** False where another tab wrote here meanwhile, or carried over. */
async function keepIssued(
	store: DeviceStore,
	issued: readonly Issued[],
	{ inheritance, n, left }: Kept
): Promise<boolean> {
	return store.write(['meta', 'journal', 'facts'], async (rows) => {
		const now = await readMeta(rows, 'inheritance');
		const last = (await readMeta(rows, 'sequence'))?.n ?? 0;
		if (now?.upTo !== inheritance.upTo || last !== n) return false;
		await rows.put(
			'journal',
			issued.map(({ row }) => row)
		);
		await rows.put(
			'facts',
			issued.flatMap(({ fact }) => fact ?? [])
		);
		await writeMeta(rows, 'sequence', { n: n + issued.length, receipt: 0 });
		const upTo = Math.max(inheritance.upTo, left.at(-1)?.n ?? 0);
		const taken = takenOver(inheritance, left, issued);
		await writeMeta(rows, 'inheritance', { ...inheritance, upTo, ...taken });
		return true;
	});
}
