/** What the browser says of the room that it gives this device's book. */
export class StorageGuard {
	readonly #storage: StorageManager | undefined;
	/** Whether the browser promised not to clear it when room is short; undefined until asked. */
	isKept = $state.raw<boolean | undefined>();
	usedBytes = $state.raw<number | undefined>();
	freeBytes = $state.raw<number | undefined>();

	constructor(storage: StorageManager | undefined) {
		this.#storage = storage;
	}

	async look(): Promise<void> {
		this.isKept = await this.#storage?.persisted();
		const { usage, quota } = (await this.#storage?.estimate()) ?? {};
		this.usedBytes = usage;
		this.freeBytes = usage === undefined || quota === undefined ? undefined : quota - usage;
	}

	/** Asks the browser to keep the book; some ask their person, some decide by themselves. */
	async ask(): Promise<void> {
		await this.#storage?.persist();
		await this.look();
	}
}

let wasAsked = false;

/** Asks once a page, after something worth keeping was written. */
export async function askToKeepOnce(storage: StorageManager | undefined): Promise<void> {
	if (wasAsked || storage === undefined) return;
	wasAsked = true;
	if (!(await storage.persisted())) await storage.persist();
}
