import { ok } from '#domain/result.ts';
import { listOf, reading, readNothing, type Read } from './account-answers.ts';
import { send, type AccountApiParts, type Answer, type Sent } from './account-api.ts';

/** A code that is on its way, as the relay tells of it. Times are in so many ms from the answer on. */
export interface CodeOnItsWay {
	readonly to: string | null;
	readonly sendsLeft: number;
	readonly triesLeft: number;
	readonly expiresInMs: number;
	readonly againInMs: number;
}

/** How the account's address stands. */
export interface AddressStanding {
	readonly address: { readonly to: string; readonly isProved: boolean } | null;
	readonly code: CodeOnItsWay | null;
	/** No message goes out: the operator reads it. */
	readonly isPractice: boolean;
}

export interface ResetAsked {
	/** Known to this page alone; sent along with the code. */
	readonly ticket: string;
	readonly code: CodeOnItsWay;
	readonly isPractice: boolean;
}

export interface FactorStanding {
	readonly isOn: boolean;
	readonly recoveryCodesLeft: number;
}

export interface FactorSecret {
	readonly secret: string;
	readonly uri: string;
}

export interface OpenSession {
	readonly id: string;
	readonly userAgent: string;
	readonly address: string;
	readonly createdAt: number;
	readonly seenAt: number;
	readonly isCurrent: boolean;
}

export interface AddressForm {
	readonly email?: string;
	readonly phone?: string;
	readonly region?: string;
	readonly password: string;
}

/** The relay's routes by which a person proves and keeps safe an account. */
export interface AccountProofApi {
	standing(): Answer<AddressStanding>;
	sendCode(language: string): Answer<AddressStanding>;
	checkCode(code: string): Answer<AddressStanding>;
	changeAddress(form: AddressForm): Answer<AddressStanding>;
	askReset(form: { readonly username: string; readonly ticket?: string }): Answer<ResetAsked>;
	reset(form: ResetForm): Answer<void>;
	factor(): Answer<FactorStanding>;
	beginFactor(password: string): Answer<FactorSecret>;
	confirmFactor(code: string): Answer<RecoveryCodes>;
	renewRecoveryCodes(form: ProvenForm): Answer<RecoveryCodes>;
	endFactor(form: ProvenForm): Answer<void>;
	sessions(): Answer<{ readonly sessions: readonly OpenSession[] }>;
	/** Signs out one, by its id, or `others`: all but this. */
	endSession(which: string): Answer<void>;
}

export interface ResetForm {
	readonly username: string;
	readonly ticket: string;
	readonly code: string;
	readonly password: string;
}

export interface ProvenForm {
	readonly password: string;
	readonly factor: string;
}

export interface RecoveryCodes {
	readonly recoveryCodes: readonly string[];
}

export function createAccountProofApi(parts: AccountApiParts): AccountProofApi {
	const post = <T>(path: string, body: object, read: Read<T>): Answer<T> =>
		send(parts, { method: 'POST', path, body }, read);
	const other = <T>(method: Sent['method'], path: string, read: Read<T>): Answer<T> =>
		send(parts, { method, path }, read);
	return {
		standing: () => other('GET', '/codes', readStanding),
		sendCode: (language) => post('/codes', { language }, readStanding),
		checkCode: (code) => post('/codes/check', { code }, readStanding),
		changeAddress: (form) => post('/address', form, readStanding),
		askReset: (form) => post('/resets', form, readResetAsked),
		reset: (form) => post('/resets/check', form, readNothing),
		factor: () => other('GET', '/second-factor', readFactor),
		beginFactor: (password) => post('/second-factor', { password }, readSecret),
		confirmFactor: (code) => post('/second-factor/confirm', { code }, readRecoveryCodes),
		renewRecoveryCodes: (form) => post('/second-factor/recovery', form, readRecoveryCodes),
		endFactor: (form) => post('/second-factor/end', form, readNothing),
		sessions: () => other('GET', '/sessions', readSessions),
		endSession: (which) => other('DELETE', `/sessions/${encodeURIComponent(which)}`, readNothing)
	};
}

const text = typed<string>('string');
const flag = typed<boolean>('boolean');
const whole = typed<number>('number');

const code = reading<CodeOnItsWay>({
	to: orNull(text),
	sendsLeft: whole,
	triesLeft: whole,
	expiresInMs: whole,
	againInMs: whole
});
const readStanding = reading<AddressStanding>({
	address: orNull(reading({ to: text, isProved: flag })),
	code: orNull(code),
	isPractice: flag
});
const readResetAsked = reading<ResetAsked>({ ticket: text, code, isPractice: flag });
const readFactor = reading<FactorStanding>({ isOn: flag, recoveryCodesLeft: whole });
const readSecret = reading<FactorSecret>({ secret: text, uri: text });
const readRecoveryCodes = reading<RecoveryCodes>({ recoveryCodes: listOf(text) });
const readSessions = reading<{ readonly sessions: readonly OpenSession[] }>({
	sessions: listOf(
		reading<OpenSession>({
			id: text,
			userAgent: text,
			address: text,
			createdAt: whole,
			seenAt: whole,
			isCurrent: flag
		})
	)
});

function typed<T>(type: 'string' | 'boolean' | 'number'): Read<T> {
	return (value) => (typeof value === type ? ok(value as T) : { ok: false, error: 'notAnAnswer' });
}

function orNull<T>(read: Read<T>): Read<T | null> {
	return (value) => (value === null ? ok(null) : read(value));
}
