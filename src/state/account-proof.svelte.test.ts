import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CODE_MS, PAUSES_MS } from '#domain/account/one-time-code.ts';
import {
	createPeopleStand,
	ORIGIN,
	PASSWORD,
	type PeopleStand
} from '#tests/support/people-stand.ts';
import { createAccountApi, type AccountApiParts } from './account-api.ts';
import { createAccountProofApi } from './account-proof-api.ts';
import { AddressProof, Reset, SessionList } from './account-proof.svelte.ts';
import { Account } from './account.svelte.ts';
import { SecondStep } from './second-factor.svelte.ts';

let stand: PeopleStand;

beforeAll(async () => {
	stand = await createPeopleStand();
});
afterAll(() => stand.close());

/** A browser on our page: it keeps the session's cookie, and may lose its network. */
function browser(): AccountApiParts & { isOffline: boolean } {
	let cookie: string | undefined;
	const parts = {
		isOffline: false,
		base: ORIGIN,
		async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
			if (parts.isOffline) throw new TypeError('no network');
			const headers = new Headers(init?.headers);
			headers.set('origin', ORIGIN);
			if (cookie !== undefined) headers.set('cookie', cookie);
			const response = await stand.app.request(new Request(input, { ...init, headers }));
			cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
			return response;
		}
	};
	return parts;
}

/** What `localStorage` keeps. */
function shelf(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
	const kept = new Map<string, string>();
	return {
		getItem: (key) => kept.get(key) ?? null,
		setItem: (key, value) => void kept.set(key, value),
		removeItem: (key) => void kept.delete(key)
	};
}

let people = 0;

async function signedUp(): Promise<{
	readonly username: string;
	readonly email: string;
	readonly parts: ReturnType<typeof browser>;
	readonly account: Account;
	readonly proof: AddressProof;
}> {
	people += 1;
	const username = `proof.${String(people)}`;
	const email = `${username}@example.org`;
	const parts = browser();
	const account = new Account({ api: createAccountApi(parts), shelf: shelf() });
	const form = { kind: 'customer', username, name: 'Amina', email, password: PASSWORD } as const;
	expect((await account.signUp(form)).ok).toBe(true);
	const proof = new AddressProof(account, createAccountProofApi(parts), () => stand.clock.now);
	return { username, email, parts, account, proof };
}

async function codeTo(email: string): Promise<string> {
	await stand.sent();
	const rows = await stand.database.sql<{ body: string }[]>`
		select body from message where recipient = ${email} order by created_at desc limit 1`;
	return /\d{6}/.exec(rows[0]?.body ?? '')?.[0] ?? '';
}

describe('the code page', () => {
	it('counts down to the next message, and to the end of the code', async () => {
		const { email, proof } = await signedUp();
		await proof.look();
		expect(proof.waiting?.to).toBe(email);
		expect(proof.againInS).toBe(PAUSES_MS[0] / 1_000);
		stand.clock.now += PAUSES_MS[0] - 1;
		proof.tick();
		expect(proof.againInS).toBe(1);
		stand.clock.now += 1;
		proof.tick();
		expect(proof.againInS).toBe(0);
		await proof.send('ar');
		expect([proof.refusal, proof.waiting?.sendsLeft]).toEqual([undefined, 1]);
		stand.clock.now += CODE_MS;
		proof.tick();
		expect(proof.waiting).toBeUndefined();
	});

	it('tells what is no code apart with no request, and knows the tries that are left', async () => {
		const { email, parts, account, proof } = await signedUp();
		await proof.look();
		parts.isOffline = true;
		for (const [typed, refusal] of [
			['', 'codeEmpty'],
			['12345', 'codeTooShort'],
			['1234567', 'codeTooLong'],
			['12345x', 'codeNotDigits'],
			['123456', 'unreachable']
		]) {
			proof.typed = typed ?? '';
			expect([await proof.check(), proof.refusal]).toEqual([false, refusal]);
		}
		parts.isOffline = false;
		const code = await codeTo(email);
		proof.typed = code.startsWith('0') ? `1${code.slice(1)}` : `0${code.slice(1)}`;
		expect([await proof.check(), proof.refusal]).toEqual([false, 'codeWrong']);
		expect(proof.waiting?.triesLeft).toBe(4);
		expect(account.isUnproved).toBe(true);
		proof.typed = ` ${code.slice(0, 3)} ${code.slice(3)} `;
		expect([await proof.check(), proof.refusal]).toEqual([true, undefined]);
		expect(account.isUnproved).toBe(false);
	});
});

describe('a forgotten password', () => {
	it('is set anew, and what is wrong is said before the relay is asked', async () => {
		const { username, email, proof, account } = await signedUp();
		await proof.look();
		proof.typed = await codeTo(email);
		await proof.check();
		stand.clock.now += 1;

		const reset = new Reset(createAccountProofApi(browser()), () => stand.clock.now);
		reset.username = 'x';
		await reset.ask();
		expect([reset.refusal, reset.isAsked]).toEqual(['usernameInvalid', false]);
		reset.username = username.toUpperCase();
		await reset.ask();
		expect([reset.refusal, reset.isAsked, reset.sendsLeft]).toEqual([undefined, true, 2]);
		await reset.ask();
		expect(reset.refusal).toBe('codeTooSoon');
		reset.typed = await codeTo(email);
		reset.password = 'short';
		await reset.send();
		expect(reset.refusal).toBe('passwordTooShort');
		reset.password = 'a new password';
		await reset.send();
		expect([reset.refusal, reset.isDone, reset.password]).toEqual([undefined, true, '']);
		expect((await account.refresh()).ok).toBe(false);
		const form = { username, password: 'a new password' };
		expect((await account.signIn(form)).ok).toBe(true);
	});
});

describe('what keeps an account safe', () => {
	it('lists and ends sessions, and sets a second step up to its recovery codes', async () => {
		const { username, parts } = await signedUp();
		const other = new Account({ api: createAccountApi(browser()), shelf: shelf() });
		await other.signIn({ username, password: PASSWORD });
		const api = createAccountProofApi(parts);
		const list = new SessionList(api);
		await list.look();
		expect(list.all).toHaveLength(2);
		await list.end('others');
		expect(list.all?.map(({ isCurrent }) => isCurrent)).toEqual([true]);
		await list.end(list.all?.[0]?.id ?? '');
		expect(list.refusal).toBe('notSignedIn');

		await other.signIn({ username, password: PASSWORD });
		const step = new SecondStep(createAccountProofApi(parts));
		await step.look();
		expect([step.stage.kind, step.refusal]).toEqual(['looking', 'notSignedIn']);
	});

	it('sets up a second step', async () => {
		const { parts } = await signedUp();
		const step = new SecondStep(createAccountProofApi(parts));
		await step.look();
		step.password = 'not it';
		await step.begin();
		expect([step.stage.kind, step.refusal]).toEqual(['off', 'passwordWrong']);
		step.password = PASSWORD;
		await step.begin();
		expect([step.stage.kind, step.password]).toEqual(['scanning', '']);
		step.typed = '123';
		await step.confirm();
		expect(step.refusal).toBe('codeTooShort');
		const { generateSync } = await import('otplib');
		const secret = step.stage.kind === 'scanning' ? step.stage.secret.secret : '';
		step.typed = generateSync({ secret, epoch: Math.floor(stand.clock.now / 1_000) });
		await step.confirm();
		const codes = step.stage.kind === 'codes' ? step.stage.codes : [];
		expect(codes).toHaveLength(10);
		await step.look();
		expect(step.stage).toEqual({ kind: 'on', codesLeft: 10 });
		step.password = PASSWORD;
		step.typed = codes[0] ?? '';
		await step.end();
		expect([step.stage.kind, step.refusal]).toEqual(['off', undefined]);
	});
});
