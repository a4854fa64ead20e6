import { encodeBase64url } from '#domain/bytes.ts';
import { phoneStatement } from '#domain/claim-statement.ts';
import type { Signer } from '#domain/crypto.ts';
import {
	parseBusinessId,
	parseLedgerId,
	parsePersonId,
	type BusinessId,
	type LedgerId,
	type PersonId
} from '#domain/ids.ts';
import type { ShopKey } from '#domain/person/view.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { listOf, oneOf, reading, readNothing, type Bearer, type Read } from '../account-answers.ts';
import {
	createAccountApi,
	send,
	type AccountApiParts,
	type Answer,
	type PhoneName
} from '../account-api.ts';

/** Whom a search found. */
export interface Found {
	readonly username: string;
	readonly name: string;
	readonly kind: 'store' | 'customer';
}

export interface PersonName {
	readonly person: PersonId;
	readonly name: string;
}

/** What an invite's link says before anybody takes it up. */
export interface InviteLook {
	readonly shop: string;
	/** As the shop calls its customer. */
	readonly name: string;
	readonly currency: string;
	/** Minor units of what the shop's book says; absent where it does not say. */
	readonly total?: number;
}

/** A new set of codes: up to `cap` minor units each. */
export interface SheetForm extends ShopKey {
	readonly kind: 'debit' | 'credit';
	readonly currency: string;
	readonly exponent: number;
	readonly cap: number;
}

/** What the relay calls a phone that it enrolled. */
export interface Enrolled {
	/** `p1`. */
	readonly code: string;
	readonly epoch: number;
	/** The UTC year since which there are documents of the shops' side. */
	readonly year: number;
}

/**
 * The relay's routes for the customer's side. The session is the browser's cookie; codes are for
 * who proves to be a phone of the person, by its bearer token.
 */
export interface CustomerApi {
	people(): Answer<readonly PersonName[]>;
	addPerson(name: string): Answer<{ readonly person: PersonId }>;
	/** Shops by username: exact, or by its first three characters. */
	search(username: string): Answer<readonly Found[]>;
	/** Asks a shop to be connected. */
	ask(username: string, person: PersonId): Answer<{ readonly ask: string }>;
	/** Answers a shop's request. */
	answer(ask: string, accept: boolean): Answer<void>;
	/** Ends a connection; the debt stays, and both keep reading. */
	end(shop: ShopKey): Answer<void>;
	lookAtInvite(token: string): Answer<InviteLook>;
	takeUpInvite(
		token: string,
		person: PersonId
	): Answer<{ readonly business: BusinessId; readonly ledger: LedgerId }>;
	/** A new set at a raised epoch: every open code of the ledger ends, and a lock with them. */
	newSheet(person: PersonId, form: SheetForm, token: string): Answer<void>;
	/** The list of open codes by SMS to the person's proved number. */
	sheetBySms(person: PersonId, shop: ShopKey, token: string): Answer<void>;
	/** Makes this phone one of the person's; the same key again is the same phone. */
	enrol(person: PersonId, signer: Signer): Answer<Enrolled>;
	/** Ends a phone of the person: its answers so far stay. */
	dismissPhone(phone: PhoneName): Answer<void>;
	/** What codes are made from, 32 bytes each in base64url, the latest first. */
	secrets(person: PersonId, token: string): Answer<{ readonly secrets: readonly string[] }>;
	/** A bearer token of an hour for a phone that proves its key. */
	phoneToken(phone: PhoneName, signer: Signer): Answer<Bearer>;
}

export function createCustomerApi(parts: AccountApiParts): CustomerApi {
	const account = createAccountApi(parts);
	const get = <T>(path: string, read: Read<T>, token?: string): Answer<T> =>
		send(parts, { method: 'GET', path, token }, read);
	const post = <T>(path: string, body: object, read: Read<T>): Answer<T> =>
		send(parts, { method: 'POST', path, body }, read);
	return {
		people: () => get('/people', listOf(readPersonName)),
		addPerson: (name) => post('/people', { name }, reading({ person })),
		async search(username) {
			const found = await get(`/search?username=${encodeURIComponent(username)}`, readFound);
			return found.ok ? ok(found.value.found) : found;
		},
		ask: (username, asking) =>
			post('/connections', { username, person: asking }, reading({ ask: text })),
		answer: (ask, accept) =>
			post(`/connections/${encodeURIComponent(ask)}/answer`, { accept }, readNothing),
		end: (shop) => post('/connections/end', keyOf(shop), readNothing),
		lookAtInvite: (token) => post('/links/look', { token }, readInviteLook),
		takeUpInvite: (token, taking) =>
			post('/links', { token, person: taking }, reading({ business, ledger })),
		newSheet: (of, { business: shop, ledger: page, kind, currency, exponent, cap }, token) => {
			const body = { business: shop, ledger: page, kind, currency, exponent, cap };
			return send(
				parts,
				{ method: 'POST', path: `/people/${of}/sheets`, body, token },
				readNothing
			);
		},
		sheetBySms: (of, shop, token) => {
			const path = `/people/${of}/sheets/sms`;
			return send(parts, { method: 'POST', path, body: keyOf(shop), token }, readNothing);
		},
		async enrol(of, signer) {
			const signature = encodeBase64url(await signer.sign(phoneStatement(of, signer.publicKey)));
			const publicKey = encodeBase64url(signer.publicKey);
			return post('/phones', { person: of, publicKey, signature }, readEnrolled);
		},
		dismissPhone: ({ person: of, code }) =>
			send(parts, { method: 'DELETE', path: `/phones/${of}/${code}` }, readNothing),
		secrets: (of, token) => get(`/people/${of}/secrets`, reading({ secrets: listOf(text) }), token),
		phoneToken: (phone, signer) => account.deviceToken(phone, signer)
	};
}

function keyOf({ business: shop, ledger: page }: ShopKey): ShopKey {
	return { business: shop, ledger: page };
}

const text: Read<string> = (value) => (typeof value === 'string' ? ok(value) : err('notAnAnswer'));
const whole: Read<number> = (value) =>
	typeof value === 'number' && Number.isSafeInteger(value) ? ok(value) : err('notAnAnswer');
const person: Read<PersonId> = (value) => parsed(parsePersonId(value));
const business: Read<BusinessId> = (value) => parsed(parseBusinessId(value));
const ledger: Read<LedgerId> = (value) => parsed(parseLedgerId(value));
const phone: Read<string> = (value) =>
	typeof value === 'string' && /^p[1-9][0-9]{0,5}$/.test(value) ? ok(value) : err('notAnAnswer');

const readPersonName = reading<PersonName>({ person, name: text });
export const readEnrolled = reading<Enrolled>({ code: phone, epoch: whole, year: whole });
const readFound = reading<{ readonly found: readonly Found[] }>({
	found: listOf(reading<Found>({ username: text, name: text, kind: oneOf('store', 'customer') }))
});
const readLook = reading<Omit<InviteLook, 'total'>>({ shop: text, name: text, currency: text });

/** The total is there only where the shop's book has one. */
function readInviteLook(value: unknown): Result<InviteLook, 'notAnAnswer'> {
	const look = readLook(value);
	if (!look.ok || typeof value !== 'object' || value === null || !('total' in value)) return look;
	const total = whole(value.total);
	return total.ok ? ok({ ...look.value, total: total.value }) : total;
}

function parsed<T>(result: Result<T, unknown>): Result<T, 'notAnAnswer'> {
	return result.ok ? result : err('notAnAnswer');
}
