import type { DeviceCode } from '#domain/ids.ts';
import type { DeviceRow, MemberRow } from '#storage/device-store.ts';
import { inviteLink, type AccountApi, type ApiRefusal } from './account-api.ts';
import type { App } from './app.svelte.ts';
import type { Live } from './live.ts';
import { heldMeta } from './meta.ts';
import { bySessionOrKey } from './owner-api.ts';

/** A device of the shop, as its list shows it. */
export interface ShopDevice {
	/** The letters on its receipts. */
	readonly code: DeviceCode;
	/** Who uses it, as the shop calls them; empty where it has no name for them. */
	readonly member: string;
	readonly isThis: boolean;
	/**
	 * `ended`: what it wrote stays. `doubtful`: it ended, and the relay was restored since, so that it may
	 * have been let in again; nobody knows but by removing it once more.
	 */
	readonly access: 'open' | 'ended' | 'doubtful';
}

export type InviteStage =
	| { readonly kind: 'none' }
	| { readonly kind: 'asking' }
	| { readonly kind: 'open'; readonly link: string; readonly expiresAt: number }
	| { readonly kind: 'refused'; readonly code: ApiRefusal };

/** The devices of the shop, and the way in for one more. */
export class DevicesList {
	readonly #app: App;
	readonly #api: AccountApi;
	readonly #devices: Live<readonly DeviceRow[]>;
	readonly #members: Live<readonly MemberRow[]>;
	readonly #epoch: Live<number | undefined>;
	invite = $state.raw<InviteStage>({ kind: 'none' });
	/** Moves every second while an invite stands. */
	#now = $state.raw(0);

	readonly devices = $derived.by<readonly ShopDevice[]>(() => {
		const { code: own } = this.#app.identity;
		const members = this.#members.value ?? [];
		const rows = this.#devices.value ?? [];
		const listed = rows.map((row) => ({
			code: row.code,
			member: members.find(({ number }) => number === row.member)?.name ?? '',
			isThis: row.code === own,
			access: accessOf(row, this.#epoch.value, own)
		}));
		const hasOwn = listed.some(({ isThis }) => isThis);
		const { memberName: member } = this.#app;
		return hasOwn ? listed : [{ code: own, member, isThis: true, access: 'open' }, ...listed];
	});
	/** How many others may still write for the shop. */
	readonly others = $derived(
		this.devices.filter(({ isThis, access }) => !isThis && access === 'open').length
	);
	readonly secondsLeft = $derived.by(() => {
		if (this.invite.kind !== 'open') return 0;
		return Math.max(0, Math.ceil((this.invite.expiresAt - this.#now) / 1_000));
	});

	constructor(app: App, api: AccountApi) {
		this.#app = app;
		this.#api = api;
		this.#devices = app.live(['devices'], () => app.book.devices());
		this.#members = app.live(['members'], () => app.book.members());
		this.#epoch = app.live(['meta'], () => heldMeta(app.store, 'epoch'));
	}

	/** Asks for a link by which one device may join, once. */
	async ask(origin: string): Promise<void> {
		this.invite = { kind: 'asking' };
		const { identity, signer } = this.#app;
		const asking = { api: this.#api, device: identity, signer };
		const invited = await bySessionOrKey(asking, (token) => this.#api.invite(identity, token));
		this.tick();
		this.invite = invited.ok
			? {
					kind: 'open',
					link: inviteLink(origin, invited.value),
					// The relay says until when by its own clock; this device's may stand apart.
					expiresAt: invited.value.expiresAt - (this.#app.sync.clockOffMs ?? 0)
				}
			: { kind: 'refused', code: invited.error };
	}

	close(): void {
		this.invite = { kind: 'none' };
	}

	tick(): void {
		this.#now = this.#app.clock();
	}
}

const RELAY_FACT = /^0\.([0-9]{1,15})-/;

/** REMOVAL-3. By the epoch of the relay's fact that ended it. One that is let in does not doubt itself. */
export function accessOf(
	{ code, removedAt, stamps }: DeviceRow,
	epoch: number | undefined,
	own: DeviceCode
): ShopDevice['access'] {
	if (removedAt === undefined) return 'open';
	const told = Number(RELAY_FACT.exec(stamps['removedAt']?.[2] ?? '')?.[1] ?? epoch);
	if (epoch === undefined || told >= epoch) return 'ended';
	return code === own ? 'open' : 'doubtful';
}
