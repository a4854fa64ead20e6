import type { DeviceCode } from '#domain/ids.ts';
import type { AccountApi, ApiRefusal } from './account-api.ts';
import type { App } from './app.svelte.ts';

/** Ends the access of one of the shop's other devices, once its owner said his password again. */
export class DeviceRemoval {
	readonly #app: App;
	readonly #api: AccountApi;
	/** Which one is asked about. */
	code = $state.raw<DeviceCode | undefined>();
	password = $state('');
	refusal = $state.raw<ApiRefusal | undefined>();
	isAsking = $state.raw(false);

	constructor(app: App, api: AccountApi) {
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

	/** The list shows it once the relay's fact of it has come. */
	async remove(): Promise<void> {
		if (this.code === undefined || this.isAsking) return;
		this.isAsking = true;
		const { business } = this.#app.identity;
		const { code, password } = this;
		const removed = await this.#api.removeDevice({ business, code, password });
		this.isAsking = false;
		this.password = '';
		if (removed.ok) this.close();
		else this.refusal = removed.error;
	}
}
