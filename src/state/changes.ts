import type { TableName } from '#storage/device-store.ts';

/** Says which tables moved, by this tab's acts or another's. */
export interface Changes {
	/** Returns the way to stop. */
	on(told: Told): () => void;
	/** Says so here and in the other tabs. What only arrived, nobody on this device waits for. */
	tell(tables: readonly TableName[], how?: 'arrived'): void;
	close(): void;
}

/** `arrived`: by nothing that a person did in this tab. */
export type Told = (tables: readonly TableName[], how?: 'arrived') => void;

/** As much of a `BroadcastChannel` as changes need. */
export interface ChangeChannel {
	postMessage(message: unknown): void;
	addEventListener(type: 'message', heard: (event: { readonly data: unknown }) => void): void;
	close(): void;
}

/** Changes of one database; with a channel, other tabs hear of them too. */
export function createChanges(channel?: ChangeChannel): Changes {
	const listeners = new Set<Told>();

	function tellHere(tables: readonly TableName[], how?: 'arrived'): void {
		for (const listener of [...listeners]) listener(tables, how);
	}

	channel?.addEventListener('message', ({ data }) => {
		if (isTableNames(data)) tellHere(data, 'arrived');
	});

	return {
		on: (told) => {
			listeners.add(told);
			return () => {
				listeners.delete(told);
			};
		},
		tell: (tables, how) => {
			if (tables.length === 0) return;
			tellHere(tables, how);
			channel?.postMessage(tables);
		},
		close: () => {
			listeners.clear();
			channel?.close();
		}
	};
}

function isTableNames(data: unknown): data is readonly TableName[] {
	return Array.isArray(data) && data.every((name) => typeof name === 'string');
}
