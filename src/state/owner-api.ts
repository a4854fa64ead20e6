import type { Signer } from '#domain/crypto.ts';
import type { BusinessId } from '#domain/ids.ts';
import { listOf, reading, readNothing, text, whole } from './account-answers.ts';
import {
	createAccountApi,
	send,
	type AccountApi,
	type AccountApiParts,
	type Answer,
	type DeviceName
} from './account-api.ts';

/** What removed devices left to the owner, in one state. */
export interface LateFacts {
	/** How many there are; `facts` may hold only the first of them. */
	readonly count: number;
	readonly facts: readonly LateText[];
}

export interface LateText {
	/** The fact as its device wrote it. */
	readonly text: string;
	/** By the relay's clock, ms. */
	readonly receivedAt: number;
	/** Why it could not be taken in; empty where nobody tried. */
	readonly reason: string;
}

export interface LateState {
	readonly business: BusinessId;
	readonly state: 'waiting' | 'declined';
}

export interface LateDecision {
	readonly business: BusinessId;
	readonly ids: readonly string[];
	/** `taken`: they count from now on, as they were written. `waiting` takes a no back. */
	readonly state: 'taken' | 'declined' | 'waiting';
}

/** How many facts of one device another handed in after a restore; relay codes stand for the relay. */
export interface Carried {
	readonly by: string;
	readonly of: string;
	readonly count: number;
}

/** What the rooms of a shop's owner ask the relay for. */
export interface OwnerApi extends Pick<AccountApi, 'deviceToken'> {
	lateFacts(of: LateState, token?: string): Answer<LateFacts>;
	/** Puts some of them into another state. What could not be taken in goes on waiting, with its reason. */
	decideLate(decision: LateDecision, token?: string): Answer<void>;
	/** What devices handed in for others after a restore, to a device of the business. */
	carried(token: string): Answer<{ readonly carried: readonly Carried[] }>;
}

const readLateFacts = reading<LateFacts>({
	count: whole,
	facts: listOf(reading<LateText>({ text, receivedAt: whole, reason: text }))
});
const readCarried = reading<{ readonly carried: readonly Carried[] }>({
	carried: listOf(reading<Carried>({ by: text, of: text, count: whole }))
});

export function createOwnerApi(
	parts: AccountApiParts = { fetch: (...asked) => fetch(...asked) }
): OwnerApi {
	const account = createAccountApi(parts);
	return {
		deviceToken: (device, signer) => account.deviceToken(device, signer),
		lateFacts: ({ business, state }, token) => {
			const path = `/late-facts?business=${business}&state=${state}`;
			return send(parts, { method: 'GET', path, token }, readLateFacts);
		},
		decideLate: ({ state, ...body }, token) =>
			send(parts, { method: 'POST', path: `/late-facts/${state}`, body, token }, readNothing),
		carried: (token) => send(parts, { method: 'GET', path: '/carried', token }, readCarried)
	};
}

/** What a device asks by: whoever is signed in on it, or itself. */
export interface AskingDevice {
	readonly api: Pick<AccountApi, 'deviceToken'>;
	readonly device: DeviceName;
	readonly signer: Signer;
}

/** Asks by the session, else by this device's own key: a browser may have lost its cookie. */
export async function bySessionOrKey<T>(
	{ api, device, signer }: AskingDevice,
	ask: (token?: string) => Answer<T>
): Answer<T> {
	const bySession = await ask();
	if (bySession.ok || !['notSignedIn', 'notAMember'].includes(bySession.error)) return bySession;
	const { business, code } = device;
	const bearer = await api.deviceToken({ business, code }, signer);
	return bearer.ok ? ask(bearer.value.token) : bearer;
}
