import { isRelayCode } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import { listOf, reading, type Read } from './account-answers.ts';
import { createAccountApi, send } from './account-api.ts';
import type { App } from './app.svelte.ts';

/** That a device told a restored relay again what another had written. */
export interface CarriedRow {
	/** The letters of the device that handed it in. */
	readonly by: string;
	/** Whose it was; null for what the relay itself had written. */
	readonly of: string | null;
	readonly count: number;
}

const text: Read<string> = (value) => (typeof value === 'string' ? ok(value) : err('notAnAnswer'));
const whole: Read<number> = (value) =>
	typeof value === 'number' && Number.isSafeInteger(value) ? ok(value) : err('notAnAnswer');
const readCarried = reading<{
	readonly carried: readonly {
		readonly by: string;
		readonly of: string;
		readonly count: number;
	}[];
}>({ carried: listOf(reading({ by: text, of: text, count: whole })) });

/** What devices handed in for others after a restore. Known to the relay alone; empty without it. */
export class CarriedList {
	readonly #app: App;
	rows = $state.raw<readonly CarriedRow[]>([]);

	constructor(app: App) {
		this.#app = app;
	}

	async look(): Promise<void> {
		const { identity, signer } = this.#app;
		if (!identity.claimed) return;
		const parts = { fetch: (...asked: Parameters<typeof fetch>) => fetch(...asked) };
		const bearer = await createAccountApi(parts).deviceToken(identity, signer);
		if (!bearer.ok) return;
		const sent = { method: 'GET', path: '/carried', token: bearer.value.token } as const;
		const listed = await send(parts, sent, readCarried);
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
