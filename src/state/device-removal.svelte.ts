import type { DeviceCode } from '#domain/ids.ts';
import type { AccountApi, ApiRefusal } from './account-api.ts';
import type { App } from './app.svelte.ts';

/** Ends the access of the shop's other devices, once its owner said his password again. */
export class DeviceRemoval {
	readonly #app: Pick<App, 'identity'>;
	readonly #api: Pick<AccountApi, 'removeDevice'>;
	/** Which one is asked about. */
	code = $state.raw<DeviceCode | undefined>();
	password = $state('');
	refusal = $state.raw<ApiRefusal | undefined>();
	/** Those whose access was ended here; the relay's facts of it may still be on their way. */
	removed = $state.raw<ReadonlySet<DeviceCode>>(new Set());
	/** Those that the relay was asked about and did not answer yet. */
	#asked = $state.raw<ReadonlySet<DeviceCode>>(new Set());
	readonly isAsking = $derived.by(() => this.code !== undefined && this.#asked.has(this.code));

	constructor(app: Pick<App, 'identity'>, api: Pick<AccountApi, 'removeDevice'>) {
		this.#app = app;
		this.#api = api;
	}

	ask(code: DeviceCode): void {
		this.close();
		this.code = code;
	}

	close(): void {
		this.code = undefined;
		this.password = '';
		this.refusal = undefined;
	}

	/** What the relay answers for one device ends the question of that device alone. */
	async remove(): Promise<void> {
		const { code, password } = this;
		if (code === undefined || this.isAsking) return;
		this.refusal = undefined;
		this.#asked = new Set([...this.#asked, code]);
		const { business } = this.#app.identity;
		const removed = await this.#api
			.removeDevice({ business, code, password })
			.finally(() => (this.#asked = new Set([...this.#asked].filter((one) => one !== code))));
		if (removed.ok) this.removed = new Set([...this.removed, code]);
		if (this.code !== code) return;
		if (removed.ok) this.close();
		else {
			this.password = '';
			this.refusal = removed.error;
		}
	}
}
