import { decodeBase64url, encodeBase64url } from '#domain/bytes.ts';
import {
	claimStatement,
	deviceStatement,
	joinStatement,
	NONCE_BYTES
} from '#domain/claim-statement.ts';
import type { Signer } from '#domain/crypto.ts';
import type { BranchId, BusinessId, DeviceCode, PersonId } from '#domain/ids.ts';
import { isProblemCode, type ProblemCode } from '#domain/problem-code.ts';
import { err, type Result } from '#domain/result.ts';
import {
	readBearer,
	readClaimed,
	readInvite,
	readJoined,
	readMe,
	readNonce,
	readNothing,
	readSignedIn,
	type Bearer,
	type Claimed,
	type Invite,
	type Joined,
	type Me,
	type Read,
	type SignedIn
} from './account-answers.ts';

/**
 * Why nothing came of a request: the relay's own reason, or `unreachable` where no relay of ours
 * answered (no network, a log-in page of the network, a proxy's error, too long a wait). After
 * `unreachable` the request may have been done: every one of them may be sent again.
 */
export type ApiRefusal = ProblemCode | 'unreachable';
export type Answer<T> = Promise<Result<T, ApiRefusal>>;

export interface SignUpForm {
	readonly kind: 'store' | 'customer';
	readonly username: string;
	readonly name: string;
	readonly email?: string;
	readonly phone?: string;
	/** The country of this device's locale, for a phone number written without one: `KE`. */
	readonly region?: string;
	/** The language of messages to the person. */
	readonly language?: string;
	readonly password: string;
	/** The person that this device minted. */
	readonly person?: PersonId;
}

export interface SignInForm {
	readonly username: string;
	readonly password: string;
	/** An authenticator's code or a recovery code, where `factorNeeded` asked for one. */
	readonly factor?: string;
}

export interface ClaimForm {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly person: PersonId;
	readonly name: string;
}

/** What lets a device join: an invite's token, or the session of the business's owner. */
export type JoinBy = { readonly token: string } | { readonly business: BusinessId };

/** The relay's routes of accounts, businesses and devices. The session is the browser's cookie. */
export interface AccountApi {
	signUp(form: SignUpForm): Answer<SignedIn>;
	signIn(form: SignInForm): Answer<SignedIn>;
	signOut(): Answer<void>;
	me(): Answer<Me>;
	/** Claims the business whose first device holds `signer`'s key. */
	claim(form: ClaimForm, signer: Signer): Answer<Claimed>;
	/** Invites one device; with a device's bearer token where no session is at hand. */
	invite(place: Pick<ClaimForm, 'business' | 'branch'>, token?: string): Answer<Invite>;
	join(by: JoinBy, signer: Signer): Answer<Joined>;
	/** Ends a device's access, by its owner's session and password. */
	removeDevice(form: DeviceName & { readonly password: string }): Answer<void>;
	/** A bearer token of an hour for a shop's device or a customer's phone that proves its key. */
	deviceToken(device: DeviceName | PhoneName, signer: Signer): Answer<Bearer>;
}

export interface DeviceName {
	readonly business: BusinessId;
	readonly code: DeviceCode;
}

/** A customer's phone: `p1` of a person. */
export interface PhoneName {
	readonly person: PersonId;
	readonly code: string;
}

export interface AccountApiParts {
	readonly fetch: typeof globalThis.fetch;
	/** Where the relay is: empty for the page's own origin, else `http://localhost:3000`. */
	readonly base?: string;
}

/** A try of a password may be held for eight seconds, on a line of two seconds each way. */
const ANSWER_MS_MAX = 30_000;

export function createAccountApi(parts: AccountApiParts): AccountApi {
	const post = <T>(path: string, body: object, read: Read<T>): Answer<T> =>
		send(parts, { method: 'POST', path, body }, read);
	return {
		signUp: (form) => post('/accounts', form, readSignedIn),
		signIn: (form) => post('/sessions', form, readSignedIn),
		signOut: () => send(parts, { method: 'DELETE', path: '/sessions/current' }, readNothing),
		me: () => send(parts, { method: 'GET', path: '/me' }, readMe),
		async claim({ business, branch, person, name }, signer) {
			const claim = { business, branch, person, publicKey: signer.publicKey };
			const proof = await proofOf(signer, claimStatement(claim));
			return post('/businesses', { business, branch, person, name, ...proof }, readClaimed);
		},
		invite: ({ business, branch }, token) =>
			send(
				parts,
				{ method: 'POST', path: '/invites', body: { business, branch }, token },
				readInvite
			),
		removeDevice: (form) => post('/devices/removal', form, readNothing),
		async join(by, signer) {
			const proof = await proofOf(signer, joinStatement(signer.publicKey));
			return post('/devices', { ...by, ...proof }, readJoined);
		},
		async deviceToken(device, signer) {
			const asked = await post('/devices/nonce', {}, readNonce);
			if (!asked.ok) return asked;
			const nonce = decodeBase64url(asked.value.nonce);
			if (!nonce.ok || nonce.value.length !== NONCE_BYTES) return err('unreachable');
			const { code } = device;
			const name = 'business' in device ? { business: device.business } : { person: device.person };
			const scope = 'business' in device ? device.business : device.person;
			const { signature } = await proofOf(signer, deviceStatement(nonce.value, scope));
			const body = { ...name, code, ...asked.value, signature };
			return post('/devices/token', body, readBearer);
		}
	};
}

/** The address that an invite's QR code and link hold. The token stays out of every server's log. */
export function inviteLink(origin: string, { token }: Pick<Invite, 'token'>): string {
	return `${origin}/join#${token}`;
}

/** One request of the relay's routes, below `/api`. */
export interface Sent {
	readonly method: 'GET' | 'POST' | 'DELETE';
	readonly path: string;
	readonly body?: object;
	readonly token?: string | undefined;
}

/** Asks a route; what our relay would not answer is `unreachable`. */
export async function send<T>(parts: AccountApiParts, sent: Sent, read: Read<T>): Answer<T> {
	const answered = await exchange(parts, sent);
	if (answered === undefined) return err('unreachable');
	const { isOk, body } = answered;
	if (!isOk) return err(codeOf(body));
	const value = read(body);
	return value.ok ? value : err('unreachable');
}

interface Answered {
	readonly isOk: boolean;
	readonly body: unknown;
}

/** Undefined where nobody answered, or somebody who does not speak JSON. */
async function exchange(
	{ fetch, base = '' }: AccountApiParts,
	{ method, path, body, token }: Sent
): Promise<Answered | undefined> {
	const headers = new Headers();
	if (body !== undefined) headers.set('content-type', 'application/json');
	if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
	try {
		const response = await fetch(`${base}/api${path}`, {
			method,
			headers,
			credentials: 'same-origin',
			cache: 'no-store',
			redirect: 'error',
			signal: AbortSignal.timeout(ANSWER_MS_MAX),
			...(body === undefined ? {} : { body: JSON.stringify(body) })
		});
		const text = await response.text();
		return { isOk: response.ok, body: text === '' ? undefined : JSON.parse(text) };
	} catch {
		// The network's many ways to fail are all one to a person: later, it may work.
		return undefined;
	}
}

function codeOf(body: unknown): ApiRefusal {
	const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined;
	return isProblemCode(code) ? code : 'unreachable';
}

/** The point of `signer`, and that it holds the other half. */
async function proofOf(
	signer: Signer,
	statement: Uint8Array
): Promise<{ readonly publicKey: string; readonly signature: string }> {
	const signature = encodeBase64url(await signer.sign(statement));
	return { publicKey: encodeBase64url(signer.publicKey), signature };
}
