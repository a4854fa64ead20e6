import { encodeBase64url } from '#domain/bytes.ts';
import type { ReplyFact } from '#domain/fact/ledger-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { PersonId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { only, type DeviceStore, type JournalRow } from '#storage/device-store.ts';
import type { ApiRefusal } from '../account-api.ts';
import { createChanges } from '../changes.ts';
import { beginCarry, isOfRestored } from '../enter-epoch.ts';
import { asSent, unmarkSent } from '../have.ts';
import { catchUp, heirToBe, type HeirParts } from '../heir.ts';
import { readMeta, writeMeta } from '../meta.ts';
import type { CustomerApi } from './connections.ts';
import type { CustomerDevice } from './device.ts';
import { openPhone, type OpenPhone } from './open-phone.ts';
import { PHONE_CARRIED_META, takeOthers, type PhoneHeirApi } from './phone-heir.ts';
import type { PhoneIdentity } from './phone-identity.ts';
import type { PhoneParts } from './phone-path.ts';

export interface EnterAnewParts
	extends
		Pick<HeirParts, 'old' | 'oldName' | 'createKeys' | 'signerOf'>,
		Pick<PhoneParts, 'crypto' | 'clock' | 'zone' | 'token'> {
	readonly person: PersonId;
	readonly openBook: (code: string) => DeviceStore;
	readonly api: Pick<CustomerApi, 'enrol' | 'dismissPhone'> & Pick<PhoneHeirApi, 'as'>;
}

/**
 * CUSTOMER-12. Makes a phone that the relay lets in no more one of its person's again, by his session: a
 * number, a key and a book of its own, in which the answers that were not sent are given once more, and
 * of a relay that was restored since then all of them. Nothing of the old book changes but a note of
 * what it will be, and what was given; begun again it is the same phone. Answers the new phone's code.
 */
export async function enterAnew(parts: EnterAnewParts): Promise<Result<string, ApiRefusal>> {
	const { old, api, person } = parts;
	const { keys } = await heirToBe(parts);
	const signer = await parts.signerOf(keys);
	const enrolled = await api.enrol(person, signer);
	if (!enrolled.ok) {
		// That key had a place once: the next try is another's.
		if (enrolled.error === 'deviceRemoved') await forgetHeir(old);
		return enrolled;
	}
	const { code, year, epoch } = enrolled.value;
	const publicKey = encodeBase64url(signer.publicKey);
	const store = parts.openBook(code);
	const identity = { person, code, publicKey, since: year };
	const held = await beginBook(parts, store, { identity, keys });
	if (held.publicKey !== publicKey) {
		// A restored relay gave a number again whose book is here: the next one is free.
		store.close();
		await api.dismissPhone({ person, code });
		await forgetHeir(old);
		return err('busy');
	}
	const phone = await openPhone({ ...parts, store, signer, changes: createChanges() }, person);
	try {
		const { http } = api.as({ person, code }, signer);
		const caughtUp = await catchUp(phone.linked, store, { http, epoch });
		if (!caughtUp.ok) return err(caughtUp.error === 'refused' ? 'deviceRemoved' : 'unreachable');
		await bringForgotten(old, { phone, store, epoch });
		await answerAgain(old, phone);
	} finally {
		phone.close();
	}
	await old.write(['meta'], (rows) => writeMeta(rows, 'heir', { keys, code }));
	return ok(code);
}

interface Bringing {
	readonly phone: OpenPhone;
	readonly store: DeviceStore;
	/** Of the relay's database. */
	readonly epoch: number;
}

/**
 * CUSTOMER-15. Where the relay was restored since this phone last heard it, all that it said to have is
 * in doubt: what others wrote comes along and is handed in, and every own answer waits again. What
 * the relay filed of those answers stays behind: they are filed anew, under the new phone's key.
 */
async function bringForgotten(old: DeviceStore, { phone, store, epoch }: Bringing): Promise<void> {
	const before = await old.read(['meta', 'journal'], async (rows) => ({
		code: (await readMeta(rows, 'phone'))?.code ?? '',
		epoch: await readMeta(rows, 'epoch'),
		isRestored: await isOfRestored(rows, epoch),
		own: await rows.all('journal')
	}));
	if (!before.isRestored) return;
	const given = new Set(before.own.flatMap((row) => answerOf(row)?.sig ?? []));
	await takeOthers(old, {
		phone: phone.linked,
		code: before.code,
		isWanted: (fact) => fact.kind !== 'filed' || !given.has(fact.sig)
	});
	await store.write(['meta'], (rows) => beginCarry(rows, epoch));
	if (before.epoch === epoch) return;
	// As a greeting does it: a kill between the two leaves all of it in doubt.
	await unmarkSent(old);
	await old.write(['meta'], (rows) => writeMeta(rows, 'epoch', epoch));
}

/**
 * Gives the answers once more that wait in a book whose phone is let in no more: of each record the last.
 * What was answered otherwise meanwhile stays so; what is not known here yet waits on.
 */
export async function answerAgain(
	old: DeviceStore,
	phone: Pick<CustomerDevice, 'giveAgain'>
): Promise<void> {
	const unsent = await old.read(['journal'], (rows) => rows.find('journal', only('sent', 0)));
	const waiting = unsent
		.filter(({ refused }) => refused === undefined)
		.map((row) => ({ row, answer: answerOf(row) }));
	const last = new Map(waiting.map(({ row, answer }) => [answer?.h, row.n]));
	for (const { row, answer } of waiting) {
		const isOver = answer === undefined || last.get(answer.h) !== row.n;
		if (isOver || (await give(answer, phone))) await keepGiven(old, row);
	}
}

function answerOf({ text }: JournalRow): ReplyFact | undefined {
	const fact = parseFact(text);
	return fact.ok && fact.value.kind === 'reply' ? fact.value : undefined;
}

async function give(answer: ReplyFact, phone: Pick<CustomerDevice, 'giveAgain'>): Promise<boolean> {
	const given = await phone.giveAgain(answer);
	return given.ok || given.error !== 'recordUnknown';
}

/** It goes from the new book. */
async function keepGiven(old: DeviceStore, row: JournalRow): Promise<void> {
	await old.write(['journal'], (rows) => rows.put('journal', [asSent(row)]));
}

async function forgetHeir(old: DeviceStore): Promise<void> {
	await old.write(['meta'], (rows) => rows.remove('meta', ['heir']));
}

interface Beginning {
	readonly identity: PhoneIdentity;
	readonly keys: CryptoKeyPair;
}

/** Answers whose book it is: another's where one of that name was here. */
async function beginBook(
	{ old, oldName }: Pick<EnterAnewParts, 'old' | 'oldName'>,
	store: DeviceStore,
	{ identity, keys }: Beginning
): Promise<PhoneIdentity> {
	const carried = await old.read(['meta'], (rows) => rows.getMany('meta', PHONE_CARRIED_META));
	return store.write(['meta'], async (rows) => {
		const held = await readMeta(rows, 'phone');
		if (held !== undefined) return held;
		await writeMeta(rows, 'phone', identity);
		await writeMeta(rows, 'keys', keys);
		await rows.put(
			'meta',
			carried.filter((row) => row !== undefined)
		);
		await writeMeta(rows, 'leftBehind', oldName);
		return identity;
	});
}
