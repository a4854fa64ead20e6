import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { Signer } from '#domain/crypto.ts';
import type { LedgerId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { listOf, oneOf, reading, readInvite, type Read } from './account-answers.ts';
import { createAccountApi, send, type ApiRefusal } from './account-api.ts';
import type { Identity } from './identity.ts';
import type { SmsSent } from './meta.ts';

/** Why the relay did not do it, or that it was not reached. */
export type ConnectionRefusal = ApiRefusal;
type Answered<T> = Promise<Result<T, ConnectionRefusal>>;

export interface FoundCustomer {
	readonly username: string;
	readonly name: string;
}

export interface LinkInvite {
	readonly token: string;
	readonly expiresAt: number;
	/** What a QR code and a message hold. */
	readonly link: string;
}

/** A message that the relay sent; `practice`: no gateway, it lies in the outbox. */
export interface MessageSent extends SmsSent {
	readonly practice: boolean;
}

/** The number was proved, or its change asks for the old one first. */
export type PhoneAsked =
	| ({ readonly kind: 'sent' } & MessageSent)
	| ({ readonly kind: 'oldCode' } & MessageSent);

export interface SheetAsk {
	readonly currency: string;
	readonly exponent: number;
	/** Minor units. */
	readonly cap: number;
}

/** What the shop asks of the relay to be connected with a customer. All of it needs the network. */
export interface ShopConnections {
	search(username: string): Answered<readonly FoundCustomer[]>;
	ask(ledger: LedgerId, username: string): Answered<{ readonly ask: string }>;
	/** Accepting names the card. */
	accept(ask: string, ledger: LedgerId): Answered<undefined>;
	decline(ask: string): Answered<undefined>;
	end(ledger: LedgerId): Answered<undefined>;
	invite(ledger: LedgerId): Answered<LinkInvite>;
	linkPhone(ledger: LedgerId, phone: string): Answered<PhoneAsked>;
	confirmPhone(ledger: LedgerId, code: string): Answered<undefined>;
	confirmOldPhone(ledger: LedgerId, code: string): Answered<PhoneAsked>;
	/** Sends the code of exactly this record, at most three times; one that is on its way is waited for. */
	sendSms(ledger: LedgerId, h: RecordHash): Answered<MessageSent>;
	/** Makes a new set of codes and sends it to the number of a ledger that is linked by phone. */
	sendSheet(ledger: LedgerId, sheet: SheetAsk): Answered<MessageSent>;
}

export interface ShopConnectionsParts {
	readonly fetch: typeof globalThis.fetch;
	readonly origin: string;
	readonly identity: () => Identity;
	readonly signer: Signer;
	readonly clock: () => number;
	/** The country of this device's place, for a number written without one: `KE`. */
	readonly region?: string | undefined;
	/** Where the relay is: empty for the page's own origin. */
	readonly base?: string;
	readonly pause: (ms: number) => Promise<void>;
}

/** A record that was written a moment ago is on its way to the relay; a person waits so long for it. */
const ON_ITS_WAY_MS: readonly number[] = [250, 500, 1_000, 2_000, 4_000];

/** A token is of an hour; no two clocks need agree on which. */
const TOKEN_MS = 45 * 60_000;

export function createShopConnections(parts: ShopConnectionsParts): ShopConnections {
	const ask = createDeviceAsk(parts);
	/** What was typed last, by ledger: once the old number let go, the new one is asked. */
	const phones = new Map<LedgerId, string>();

	async function linkPhone(ledger: LedgerId, phone: string): Answered<PhoneAsked> {
		phones.set(ledger, phone);
		const { region } = parts;
		const body = { phone, ...(region !== undefined && { region }) };
		const asked = await ask({ path: `/ledgers/${ledger}/phone`, body }, readPhoneAsked);
		if (!asked.ok) return asked;
		const { needs, ...sent } = asked.value;
		return ok({ kind: needs === 'code' ? 'sent' : 'oldCode', ...sent });
	}

	return {
		search: async (username) => {
			const path = `/search?username=${encodeURIComponent(username)}`;
			const found = await ask({ path }, readFound);
			return found.ok ? ok(found.value.found) : found;
		},
		ask: (ledger, username) => ask({ path: '/connections', body: { ledger, username } }, readAsk),
		accept: (id, ledger) =>
			ask({ path: `/connections/${id}/answer`, body: { accept: true, ledger } }, readDone),
		decline: (id) => ask({ path: `/connections/${id}/answer`, body: { accept: false } }, readDone),
		end: (ledger) => {
			const { business } = parts.identity();
			return ask({ path: '/connections/end', body: { business, ledger } }, readDone);
		},
		invite: async (ledger) => {
			const made = await ask({ path: `/ledgers/${ledger}/invites`, body: {} }, readInvite);
			if (!made.ok) return made;
			return ok({ ...made.value, link: `${parts.origin}/link#${made.value.token}` });
		},
		linkPhone,
		confirmPhone: (ledger, code) =>
			ask({ path: `/ledgers/${ledger}/phone/confirm`, body: { code } }, readDone),
		confirmOldPhone: async (ledger, code) => {
			const path = `/ledgers/${ledger}/phone/confirm-old`;
			const done = await ask({ path, body: { code } }, readDone);
			if (!done.ok) return done;
			const phone = phones.get(ledger);
			return phone === undefined ? err('notFound') : linkPhone(ledger, phone);
		},
		sendSms: (ledger, h) => {
			const path = `/ledgers/${ledger}/records/${h}/sms`;
			return onceKnown(() => ask({ path, body: {} }, readMessage), parts.pause);
		},
		sendSheet: (ledger, sheet) =>
			ask({ path: `/ledgers/${ledger}/sheets/sms`, body: sheet }, readList)
	};
}

async function onceKnown<T>(
	ask: () => Answered<T>,
	pause: ShopConnectionsParts['pause']
): Answered<T> {
	let answer = await ask();
	for (const ms of ON_ITS_WAY_MS) {
		if (answer.ok || answer.error !== 'recordUnknown') break;
		await pause(ms);
		answer = await ask();
	}
	return answer;
}

export interface Asking {
	readonly path: string;
	/** A request with a body is a POST. */
	readonly body?: object;
}

export type AskDevice = <T>(asking: Asking, read: Read<T>) => Answered<T>;

export type DeviceAskParts = Pick<
	ShopConnectionsParts,
	'fetch' | 'identity' | 'signer' | 'clock' | 'base'
>;

/** Asks with this device's token, and once again with a new one where it is not taken. */
export function createDeviceAsk(parts: DeviceAskParts): AskDevice {
	const { fetch, base } = parts;
	const http = { fetch, ...(base !== undefined && { base }) };
	const api = createAccountApi(http);
	let held: { readonly token: string; readonly at: number } | undefined;

	async function tokenOf(): Answered<string> {
		const now = parts.clock();
		if (held !== undefined && Math.abs(now - held.at) < TOKEN_MS) return ok(held.token);
		const proved = await api.deviceToken(parts.identity(), parts.signer);
		if (!proved.ok) return proved;
		held = { token: proved.value.token, at: now };
		return ok(held.token);
	}

	return async <T>({ path, body }: Asking, read: Read<T>): Answered<T> => {
		const once = async (): Answered<T> => {
			const token = await tokenOf();
			if (!token.ok) return token;
			const method = body === undefined ? 'GET' : 'POST';
			return send(http, { method, path, token: token.value, ...(body && { body }) }, read);
		};
		const first = await once();
		if (first.ok || !TOKEN_REFUSALS.has(first.error)) return first;
		held = undefined;
		return once();
	};
}

const TOKEN_REFUSALS: ReadonlySet<ConnectionRefusal> = new Set(['deviceRefused', 'notSignedIn']);

const text: Read<string> = (value) => (typeof value === 'string' ? ok(value) : err('notAnAnswer'));
const whole: Read<number> = (value) =>
	typeof value === 'number' && Number.isSafeInteger(value) ? ok(value) : err('notAnAnswer');
const flag: Read<boolean> = (value) =>
	typeof value === 'boolean' ? ok(value) : err('notAnAnswer');

const MESSAGE = { to: text, send: whole, expiresAt: whole, practice: flag };
const readFound = reading<{ readonly found: readonly FoundCustomer[] }>({
	found: listOf(reading<FoundCustomer>({ username: text, name: text }))
});
const readAsk = reading<{ readonly ask: string }>({ ask: text });
const readDone: Read<undefined> = () => ok(undefined);
const readMessage = reading<MessageSent>(MESSAGE);
const readPhoneAsked = reading<MessageSent & { readonly needs: 'code' | 'oldCode' }>({
	...MESSAGE,
	needs: oneOf('code', 'oldCode')
});
/** A list of codes is no code: it does not expire with a message. */
const readList: Read<MessageSent> = (value) => {
	const read = reading({ to: text, practice: flag })(value);
	return read.ok ? ok({ ...read.value, send: 0, expiresAt: 0 }) : read;
};
