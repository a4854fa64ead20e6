import { parseFactor, parseOneTimeCode } from '#domain/account/one-time-code.ts';
import type { Err, Result } from '#domain/result.ts';
import type { ApiRefusal } from './account-api.ts';
import type {
	AccountProofApi,
	FactorSecret,
	FactorStanding,
	RecoveryCodes
} from './account-proof-api.ts';
import type { ProofRefusal } from './account-proof.svelte.ts';

/** Where setting up a second step has come to. */
export type FactorStage =
	| { readonly kind: 'looking' }
	| { readonly kind: 'off' }
	| { readonly kind: 'scanning'; readonly secret: FactorSecret }
	/** Shown this once. */
	| { readonly kind: 'codes'; readonly codes: readonly string[] }
	| { readonly kind: 'on'; readonly codesLeft: number };

/** The account's second step: off, being set up, or on. */
export class SecondStep {
	readonly #api: AccountProofApi;
	stage = $state.raw<FactorStage>({ kind: 'looking' });
	password = $state('');
	typed = $state('');
	refusal = $state.raw<ProofRefusal | undefined>();

	constructor(api: AccountProofApi) {
		this.#api = api;
	}

	async look(): Promise<void> {
		const asked = await this.#api.factor();
		if (this.#refused(asked)) return;
		this.stage = stageOf(asked.value);
	}

	async begin(): Promise<void> {
		const begun = await this.#api.beginFactor(this.password);
		if (this.#refused(begun)) return;
		this.#forget();
		this.stage = { kind: 'scanning', secret: begun.value };
	}

	async confirm(): Promise<void> {
		const code = parseOneTimeCode(this.typed);
		this.refusal = code.ok ? undefined : code.error;
		if (!code.ok) return;
		this.#showCodes(await this.#api.confirmFactor(code.value));
	}

	async renew(): Promise<void> {
		const proven = this.#proven();
		if (proven !== undefined) this.#showCodes(await this.#api.renewRecoveryCodes(proven));
	}

	async end(): Promise<void> {
		const proven = this.#proven();
		if (proven === undefined || this.#refused(await this.#api.endFactor(proven))) return;
		this.#forget();
		this.stage = { kind: 'off' };
	}

	#showCodes(answered: Result<RecoveryCodes, ApiRefusal>): void {
		if (this.#refused(answered)) return;
		this.#forget();
		this.stage = { kind: 'codes', codes: answered.value.recoveryCodes };
	}

	/** What is no code at all is told apart before a try is spent. */
	#proven(): { readonly password: string; readonly factor: string } | undefined {
		const factor = parseFactor(this.typed);
		this.refusal = factor.ok ? undefined : factor.error;
		return factor.ok ? { password: this.password, factor: factor.value.code } : undefined;
	}

	#refused<T>(answered: Result<T, ApiRefusal>): answered is Err<ApiRefusal> {
		this.refusal = answered.ok ? undefined : answered.error;
		return !answered.ok;
	}

	#forget(): void {
		this.password = '';
		this.typed = '';
	}
}

function stageOf({ isOn, recoveryCodesLeft }: FactorStanding): FactorStage {
	return isOn ? { kind: 'on', codesLeft: recoveryCodesLeft } : { kind: 'off' };
}
