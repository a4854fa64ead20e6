import type { DeviceCode } from '#domain/ids.ts';
import type { DeviceRow, MemberRow } from '#storage/device-store.ts';
import { inviteLink, type AccountApi, type ApiRefusal } from './account-api.ts';
import type { App } from './app.svelte.ts';
import type { Live } from './live.ts';
import { bySessionOrKey } from './owner-api.ts';

/** A device of the shop, as its list shows it. */
export interface ShopDevice {
	/** The letters on its receipts. */
	readonly code: DeviceCode;
	/** Who uses it, as the shop calls them; empty where it has no name for them. */
	readonly member: string;
	readonly isThis: boolean;
	/** Its access has ended; what it wrote stays. */
	readonly isRemoved: boolean;
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
	invite = $state.raw<InviteStage>({ kind: 'none' });
	/** Moves every second while an invite stands. */
	#now = $state.raw(0);

	readonly devices = $derived.by<readonly ShopDevice[]>(() => {
		const { code: own } = this.#app.identity;
		const members = this.#members.value ?? [];
		const rows = this.#devices.value ?? [];
		const listed = rows.map(({ code, member, removedAt }) => ({
			code,
			member: members.find(({ number }) => number === member)?.name ?? '',
			isThis: code === own,
			isRemoved: removedAt !== undefined
		}));
		const hasOwn = listed.some(({ isThis }) => isThis);
		const { memberName: member } = this.#app;
		return hasOwn ? listed : [{ code: own, member, isThis: true, isRemoved: false }, ...listed];
	});
	/** How many others may still write for the shop. */
	readonly others = $derived(
		this.devices.filter(({ isThis, isRemoved }) => !isThis && !isRemoved).length
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
