import { encodeBase64url } from '#domain/bytes.ts';
import { secretId } from '#domain/confirmation/codes.ts';
import type { PersonId } from '#domain/ids.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { shopId, type PersonView, type ShopKey } from '#domain/person/view.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { only, type DeviceStore, type FactRow } from '#storage/device-store.ts';
import type { FactText } from '../arrived-fact.ts';
import type { LinkedPhone } from '../linked-device.ts';
import { readMeta, writeMeta } from '../meta.ts';
import { oneAtATime, type OneAtATime } from '../one-at-a-time.ts';
import { answersOf, cleanNote, type AnswerDraft } from './answer-act.ts';
import { codeSheets, lacksSecret } from './code-sheets.ts';
import type { Enrolled } from './connections.ts';
import type {
	Answered,
	AnswerRefusal,
	CodeSheet,
	CodesRefusal,
	CustomerDevice,
	UnsentAnswers
} from './device.ts';
import { openPersonModel, type PersonModel } from './person-model.ts';
import type { PhoneIdentity } from './phone-identity.ts';
import { writeOnPhone, type Deciding, type PhoneMoment, type PhoneParts } from './phone-path.ts';
import { importSecret, type HeldSecret } from './secret.ts';

/** A phone as who connects it sees it. */
export interface OpenPhone extends CustomerDevice {
	/** What a line to the relay needs of it. */
	readonly linked: LinkedPhone;
	/** Keeps what the relay calls this phone. */
	markEnrolled(enrolled: Enrolled): Promise<void>;
	/** Whether codes of this person are made from what is not held here. */
	lacksSecret(): Promise<boolean>;
	/** Keeps what codes are made from, the latest first; the bytes are forgotten. */
	keepSecrets(all: readonly Uint8Array[]): Promise<void>;
	close(): void;
}

const MINUTE_MS = 60_000;
/** The relay gives as many. */
const SECRETS_MAX = 8;
const NO_NAME = '';

/** Opens the phone of `person` in its own database, with all that it holds of him. */
export async function openPhone(parts: PhoneParts, person: PersonId): Promise<OpenPhone> {
	const publicKey = encodeBase64url(parts.signer.publicKey);
	const identity = await parts.store.write(['meta'], async (rows) => {
		const held = await readMeta(rows, 'phone');
		if (held !== undefined) return held;
		const minted: PhoneIdentity = { person, code: undefined, publicKey, since: undefined };
		await writeMeta(rows, 'phone', minted);
		return minted;
	});
	const phone: Phone = {
		parts,
		identity,
		model: await openPersonModel({ ...parts, ownCode: () => phone.identity.code }),
		listeners: new Set(),
		offset: 0,
		readUpTo: 0,
		shown: undefined,
		inTurn: oneAtATime()
	};
	await readSmall(phone);
	phone.stop = parts.changes.on((tables) => {
		if (tables.includes('facts') || tables.includes('meta')) void phone.inTurn(() => follow(phone));
		else if (tables.includes('journal')) tell(phone);
	});
	return createOpenPhone(phone);
}

/** What moves while a phone is open. */
interface Phone {
	readonly parts: PhoneParts;
	identity: PhoneIdentity;
	readonly model: PersonModel;
	readonly listeners: Set<() => void>;
	/** What to add to this phone's clock to have the relay's, ms. */
	offset: number;
	readUpTo: number;
	/** What was shown last, and of which minute. */
	shown: { readonly minute: number; readonly view: PersonView } | undefined;
	/** One piece of work at a time, in the order in which it came. */
	readonly inTurn: OneAtATime;
	stop?: () => void;
}

function createOpenPhone(phone: Phone): OpenPhone {
	const answer = (draft: AnswerDraft): Promise<Result<Answered, AnswerRefusal>> =>
		phone.inTurn(() => answerWith(phone, draft));
	return {
		get identity() {
			return phone.identity;
		},
		linked: linkedPhone(phone),
		view: () => view(phone),
		accept: (hs) => answer({ act: 'accept', hs, reason: 0, note: '' }),
		cancel: (h, reason, note = '') => answer({ act: 'cancel', hs: [h], reason, note }),
		drop: (h) => answer({ act: 'drop', hs: [h], reason: 0, note: '' }),
		giveAgain: (before) => {
			const { h, decision: act, reason, note } = before;
			return answer({ act, hs: [h], reason, note, before });
		},
		acceptAll: (shop) => {
			const hs = shopOf(phone, shop)?.toAnswer.map(({ h }) => h) ?? [];
			return answer({ act: 'accept', hs, reason: 0, note: '' });
		},
		markSeen: () => phone.inTurn(() => markSeen(phone)),
		codesOf: (shop) => codesOf(phone, shop),
		on: (changed) => {
			phone.listeners.add(changed);
			return () => {
				phone.listeners.delete(changed);
			};
		},
		unsent: () => unsentOf(phone.parts.store),
		lastContactAt: () => phone.parts.store.read(['meta'], (rows) => readMeta(rows, 'contactAt')),
		receive: (facts) => phone.inTurn(() => receive(phone, facts)),
		markEnrolled: ({ code, year }) =>
			phone.inTurn(() => keepIdentity(phone, { code, since: year })),
		lacksSecret: async () => {
			const held = await readSecrets(phone);
			const sets = view(phone).shops.flatMap(({ codes }) => codes);
			return held.length === 0 || sets.some((set) => lacksSecret(set, held));
		},
		keepSecrets: (all) => phone.inTurn(() => keepSecrets(phone, all)),
		close: () => {
			phone.stop?.();
			phone.listeners.clear();
			phone.parts.store.close();
		}
	};
}

function linkedPhone(phone: Phone): LinkedPhone {
	return {
		get identity() {
			const { person, code } = phone.identity;
			return { person, code: code ?? '', claimed: code !== undefined };
		},
		receive: (facts) => phone.inTurn(() => receive(phone, facts))
	};
}

function view(phone: Phone): PersonView {
	const minute = Math.floor((phone.parts.clock() + phone.offset) / MINUTE_MS);
	if (phone.shown?.minute === minute) return phone.shown.view;
	const shown = phone.model.view({ nowMs: minute * MINUTE_MS, readUpTo: phone.readUpTo });
	phone.shown = { minute, view: shown };
	return shown;
}

function tell(phone: Phone): void {
	phone.shown = undefined;
	for (const listener of [...phone.listeners]) listener();
}

async function answerWith(
	phone: Phone,
	draft: AnswerDraft
): Promise<Result<Answered, AnswerRefusal>> {
	const { code } = phone.identity;
	if (code === undefined) return err('notEnrolled');
	const note = cleanNote(draft.note);
	if (!note.ok) return note;
	const { signer } = phone.parts;
	return write(phone, code, async (moment): Promise<Deciding<Result<Answered, AnswerRefusal>>> => {
		// Another tab, or another phone, may have answered meanwhile.
		await phone.model.catchUp();
		phone.shown = undefined;
		const context = { view: view(phone), fold: phone.model.fold, signer };
		const written = await answersOf({ ...draft, note: note.value }, context, moment);
		if (!written.ok) return { facts: [], value: written };
		const hs = written.value.flatMap(({ fact }) => (fact.kind === 'reply' ? [fact.h] : []));
		return { facts: written.value, value: ok({ hs }) };
	});
}

/** What was written is shown before the act resolves. */
async function write<T>(
	phone: Phone,
	code: string,
	decide: (moment: PhoneMoment) => Promise<Deciding<T>>
): Promise<T> {
	let kept: readonly FactRow[] = [];
	const identity = { ...phone.identity, code };
	const value = await writeOnPhone(
		phone.parts,
		{
			identity,
			kept: (rows) => {
				kept = rows;
			}
		},
		decide
	);
	await phone.model.take(kept);
	if (kept.length > 0) tell(phone);
	return value;
}

/** One fact where the relay told something since; what days told is read on this phone alone. */
async function markSeen(phone: Phone): Promise<void> {
	const { identity, model, parts } = phone;
	const { notices, seenUpTo } = view(phone);
	const readUpTo = notices.reduce(
		(most, { at, isRead }) => (isRead ? most : Math.max(most, at)),
		0
	);
	if (readUpTo > phone.readUpTo) {
		phone.readUpTo = readUpTo;
		await parts.store.write(['meta'], (rows) => writeMeta(rows, 'readUpTo', readUpTo));
		parts.changes.tell(['meta']);
	}
	const { code } = identity;
	const upToMs = model.toldUpTo(parts.clock() + phone.offset);
	if (code === undefined || upToMs <= seenUpTo) return;
	await write(phone, code, (moment) =>
		Promise.resolve({
			facts: [{ fact: { ...moment.head(0), kind: 'seen', upToMs }, minor: 0n }],
			value: undefined
		})
	);
}

async function receive(phone: Phone, facts: readonly FactText[]): Promise<void> {
	// What came before a fault is known from now on, and moves nothing when it comes again.
	let hasMoved = true;
	try {
		hasMoved = await phone.model.receive(facts);
	} finally {
		if (hasMoved) {
			tell(phone);
			phone.parts.changes.tell(['facts']);
		}
	}
}

/** Something moved, here or in another tab. */
async function follow(phone: Phone): Promise<void> {
	const before = `${String(phone.offset)} ${String(phone.readUpTo)} ${phone.identity.code ?? ''}`;
	const hasMoved = await phone.model.catchUp();
	await readSmall(phone);
	const after = `${String(phone.offset)} ${String(phone.readUpTo)} ${phone.identity.code ?? ''}`;
	if (hasMoved || before !== after) tell(phone);
}

async function readSmall(phone: Phone): Promise<void> {
	await phone.parts.store.read(['meta'], async (rows) => {
		phone.identity = (await readMeta(rows, 'phone')) ?? phone.identity;
		phone.offset = (await readMeta(rows, 'offset')) ?? 0;
		phone.readUpTo = (await readMeta(rows, 'readUpTo')) ?? 0;
	});
}

/** On disk first: a name that only this page knew would be asked for no more, and forgotten with the next news. */
async function keepIdentity(
	phone: Phone,
	moved: Pick<PhoneIdentity, 'code' | 'since'>
): Promise<void> {
	const identity = { ...phone.identity, ...moved };
	await phone.parts.store.write(['meta'], (rows) => writeMeta(rows, 'phone', identity));
	phone.identity = identity;
	tell(phone);
	phone.parts.changes.tell(['meta']);
}

async function codesOf(
	phone: Phone,
	key: ShopKey
): Promise<Result<readonly CodeSheet[], CodesRefusal>> {
	const shop = shopOf(phone, key);
	if (shop === undefined) return err('shopUnknown');
	const secrets = await readSecrets(phone);
	if (shop.codes.some((set) => lacksSecret(set, secrets))) return err('secretMissing');
	return ok(await codeSheets(shop, secrets, phone.parts.crypto));
}

/** The latest first; last the one of before there was a second, of which sets are that name none. */
function readSecrets({ parts }: Phone): Promise<readonly HeldSecret[]> {
	return parts.store.read(['meta'], async (rows) => {
		const named = (await readMeta(rows, 'secrets')) ?? [];
		const first = await readMeta(rows, 'secret');
		return first === undefined ? named : [...named, { id: NO_NAME, key: first }];
	});
}

/** Also those that the relay does not name any more: paper may have their codes. */
async function keepSecrets(phone: Phone, all: readonly Uint8Array[]): Promise<void> {
	const { store, crypto, changes } = phone.parts;
	const given = await Promise.all(
		all.map(async (bytes) => ({
			id: await secretId(bytes, crypto),
			key: await importSecret(bytes)
		}))
	);
	const ids = new Set(given.map(({ id }) => id));
	const older = (await readSecrets(phone)).filter(({ id }) => id !== NO_NAME && !ids.has(id));
	const secrets = [...given, ...older].slice(0, SECRETS_MAX);
	await store.write(['meta'], (rows) => writeMeta(rows, 'secrets', secrets));
	changes.tell(['meta']);
}

function shopOf(phone: Phone, key: ShopKey): PersonView['shops'][number] | undefined {
	const id = shopId(key);
	return view(phone).shops.find((shop) => shop.id === id);
}

async function unsentOf(store: DeviceStore): Promise<UnsentAnswers> {
	const { rows, outAt } = await store.read(['journal', 'meta'], async (read) => ({
		rows: await read.find('journal', only('sent', 0)),
		outAt: (await readMeta(read, 'removedAt')) ?? (await readMeta(read, 'unknownAt'))
	}));
	const answers = rows.filter(({ text }) => isAnswer(text));
	const waiting = answers.filter(({ refused }) => refused === undefined);
	return {
		count: waiting.length,
		minor: waiting.reduce((sum, { minor }) => sum + minor, 0n),
		oldestAt: waiting[0]?.at,
		refused: answers.flatMap(({ id, refused }) =>
			refused === undefined ? [] : [{ id, reason: refused }]
		),
		isOut: outAt !== undefined
	};
}

/** What a phone says it has seen is sent too, and is nobody's answer. */
function isAnswer(text: string): boolean {
	const fact = parseFact(text);
	return fact.ok && fact.value.kind === 'reply';
}
