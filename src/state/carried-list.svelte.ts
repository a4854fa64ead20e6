import { isRelayCode } from '#domain/ids.ts';
import type { App } from './app.svelte.ts';
import type { OwnerApi } from './owner-api.ts';

/** That a device told a restored relay again what another had written. */
export interface CarriedRow {
	/** The letters of the device that handed it in. */
	readonly by: string;
	/** Whose it was; null for what the relay itself had written. */
	readonly of: string | null;
	readonly count: number;
}

/** What devices handed in for others after a restore. Known to the relay alone; empty without it. */
export class CarriedList {
	readonly #app: App;
	readonly #api: OwnerApi;
	rows = $state.raw<readonly CarriedRow[]>([]);

	constructor(app: App, api: OwnerApi) {
		this.#app = app;
		this.#api = api;
	}

	async look(): Promise<void> {
		const { identity, signer } = this.#app;
		if (!identity.claimed) return;
		const bearer = await this.#api.deviceToken(identity, signer);
		if (!bearer.ok) return;
		const listed = await this.#api.carried(bearer.value.token);
		if (!listed.ok) return;
		this.rows = joined(
			listed.value.carried
				.filter(({ by, of }) => by !== of)
				.map(({ by, of, count }) => ({ by, of: isRelayCode(of) ? null : of, count }))
		);
	}
}

/** The relay has a code for each epoch, which is nobody's matter. */
function joined(rows: readonly CarriedRow[]): readonly CarriedRow[] {
	const byName = new Map<string, CarriedRow>();
	for (const row of rows) {
		const name = `${row.by} ${row.of ?? ''}`;
		const count = (byName.get(name)?.count ?? 0) + row.count;
		byName.set(name, { ...row, count });
	}
	return Array.from(byName.values());
}
