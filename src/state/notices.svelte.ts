import type { App } from './app.svelte.ts';
import { LEDGER_TABLES, type NoticesView, type ShopNoticeKind } from './ledger-views.ts';
import { ledgerOf } from './ledger-of.ts';
import type { Live } from './live.ts';

/** What the shop should know, newest first. */
export class Notices {
	readonly #app: App;
	readonly #view: Live<NoticesView>;

	readonly all = $derived.by(() => this.#view.value?.notices ?? []);
	readonly unread = $derived.by(() => this.#view.value?.unread ?? 0);
	readonly hidden = $derived.by(() => this.#view.value?.hidden ?? []);
	readonly isRead = $derived.by(() => this.#view.value !== undefined);

	constructor(app: App) {
		this.#app = app;
		this.#view = app.live([...LEDGER_TABLES, 'meta', 'asks', 'devices'], () =>
			ledgerOf(app).notices()
		);
	}

	/** Everything that stands here was looked at. */
	async markRead(): Promise<void> {
		const [latest] = this.all;
		if (latest === undefined || this.unread === 0 || this.#app.isReadOnly) return;
		await this.#app.awaitless(this.#app.device.markNotices({ readUpTo: latest.at }));
	}

	async choose(kind: ShopNoticeKind, isWanted: boolean): Promise<void> {
		const others = this.hidden.filter((one) => one !== kind);
		const hidden = isWanted ? others : [...others, kind];
		await this.#app.keeping(() => this.#app.device.markNotices({ hidden }));
	}
}
