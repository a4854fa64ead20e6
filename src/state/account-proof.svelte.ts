import { parseOneTimeCode, type OneTimeCodeRefusal } from '#domain/account/one-time-code.ts';
import { parsePassword } from '#domain/account/password.ts';
import { parseUsername } from '#domain/account/username.ts';
import type { Result } from '#domain/result.ts';
import type { Account } from './account.svelte.ts';
import type { ApiRefusal } from './account-api.ts';
import type {
	AccountProofApi,
	AddressStanding,
	CodeOnItsWay,
	OpenSession,
	ResetAsked
} from './account-proof-api.ts';

export type ProofRefusal = ApiRefusal | OneTimeCodeRefusal;

/** What is told of a code on its way, with times by this device's own clock. */
interface Waiting extends CodeOnItsWay {
	/** When it was told, ms. */
	readonly toldAt: number;
}

/** The code that proves the account's address: how it stands, and what was typed. */
export class AddressProof {
	readonly #account: Account;
	readonly #api: AccountProofApi;
	readonly #clock: () => number;
	/** Undefined until the relay was asked. */
	standing = $state.raw<AddressStanding | undefined>();
	#waiting = $state.raw<Waiting | undefined>();
	typed = $state('');
	refusal = $state.raw<ProofRefusal | undefined>();
	/** Moves once a second while a screen counts down. */
	now = $state.raw(0);

	constructor(account: Account, api: AccountProofApi, clock: () => number) {
		this.#account = account;
		this.#api = api;
		this.#clock = clock;
		this.now = clock();
	}

	/** The code that may be typed now. */
	readonly waiting = $derived.by(() => aliveAt(this.#waiting, this.now));
	/** Seconds until it may be sent again; 0 where it may be now. */
	readonly againInS = $derived.by(() => secondsUntilAgain(this.#waiting, this.now));

	tick(): void {
		this.now = this.#clock();
	}

	async look(): Promise<void> {
		this.#take(await this.#api.standing());
	}

	async send(language: string): Promise<void> {
		this.#take(await this.#api.sendCode(language));
	}

	/** Answers whether the address is proved now. What is no code is told apart before a try is spent. */
	async check(): Promise<boolean> {
		this.refusal = undefined;
		const code = parseOneTimeCode(this.typed);
		if (!code.ok) {
			this.refusal = code.error;
			return false;
		}
		const checked = await this.#api.checkCode(code.value);
		this.#take(checked);
		if (checked.ok) return checked.value.address?.isProved === true;
		// How many tries are left, and whether the code is still alive, only the relay knows.
		const after = await this.#api.standing();
		if (after.ok) this.#keep(after.value);
		return false;
	}

	#take(answered: Result<AddressStanding, ApiRefusal>): void {
		this.refusal = answered.ok ? undefined : answered.error;
		if (answered.ok) this.#keep(answered.value);
	}

	#keep(standing: AddressStanding): void {
		this.tick();
		this.standing = standing;
		this.#waiting = standing.code === null ? undefined : { ...standing.code, toldAt: this.now };
		if (standing.address?.isProved === true) this.#account.markProved();
	}
}

/** A new password by a code. */
export class Reset {
	readonly #api: AccountProofApi;
	readonly #clock: () => number;
	username = $state('');
	typed = $state('');
	password = $state('');
	#asked = $state.raw<(ResetAsked & { readonly waiting: Waiting }) | undefined>();
	refusal = $state.raw<ProofRefusal | undefined>();
	isDone = $state.raw(false);
	now = $state.raw(0);

	constructor(api: AccountProofApi, clock: () => number) {
		this.#api = api;
		this.#clock = clock;
		this.now = clock();
	}

	/** Whether a code may be on its way; where there is no such account nobody is told. */
	readonly isAsked = $derived.by(() => this.#asked !== undefined);
	readonly isPractice = $derived.by(() => this.#asked?.isPractice === true);
	readonly sendsLeft = $derived.by(() => this.#asked?.code.sendsLeft ?? 0);
	readonly againInS = $derived.by(() => secondsUntilAgain(this.#asked?.waiting, this.now));

	tick(): void {
		this.now = this.#clock();
	}

	/** Asks for a code, or for it once more. */
	async ask(): Promise<void> {
		const username = parseUsername(this.username);
		this.refusal = username.ok ? undefined : username.error;
		if (!username.ok) return;
		const ticket = this.#asked?.ticket;
		const asked = await this.#api.askReset({
			username: username.value,
			...(ticket !== undefined && { ticket })
		});
		this.tick();
		if (asked.ok)
			this.#asked = { ...asked.value, waiting: { ...asked.value.code, toldAt: this.now } };
		else this.refusal = asked.error;
	}

	async send(): Promise<void> {
		this.refusal = this.#wrong();
		if (this.refusal !== undefined || this.#asked === undefined) return;
		const { username, typed: code, password } = this;
		const done = await this.#api.reset({ username, ticket: this.#asked.ticket, code, password });
		if (!done.ok) {
			this.refusal = done.error;
			return;
		}
		this.password = '';
		this.isDone = true;
	}

	#wrong(): ProofRefusal | undefined {
		const code = parseOneTimeCode(this.typed);
		if (!code.ok) return code.error;
		const username = parseUsername(this.username);
		if (!username.ok) return username.error;
		const password = parsePassword(this.password, username.value);
		return password.ok ? undefined : password.error;
	}
}

/** Where the account is signed in. */
export class SessionList {
	readonly #api: AccountProofApi;
	/** Undefined until the relay was asked. */
	all = $state.raw<readonly OpenSession[] | undefined>();
	refusal = $state.raw<ApiRefusal | undefined>();

	constructor(api: AccountProofApi) {
		this.#api = api;
	}

	async look(): Promise<void> {
		const asked = await this.#api.sessions();
		this.refusal = asked.ok ? undefined : asked.error;
		if (asked.ok) this.all = asked.value.sessions;
	}

	/** Signs out one, or `others`. */
	async end(which: string): Promise<void> {
		const ended = await this.#api.endSession(which);
		// One that is not there any more is signed out.
		const isGone = ended.ok || ended.error === 'notFound';
		if (isGone) await this.look();
		else this.refusal = ended.error;
	}
}

function aliveAt(waiting: Waiting | undefined, now: number): Waiting | undefined {
	const isAlive = waiting !== undefined && now < waiting.toldAt + waiting.expiresInMs;
	return isAlive ? waiting : undefined;
}

function secondsUntilAgain(waiting: Waiting | undefined, now: number): number {
	if (waiting === undefined) return 0;
	return Math.max(0, Math.ceil((waiting.toldAt + waiting.againInMs - now) / 1_000));
}
