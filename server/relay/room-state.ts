import type { ItemId, UpdateItem } from './update-parser.ts';

/**
 * What a document holds, without its texts: for each Yjs client the keys of its items by clock.
 * Every item is one tick long, so the number of a client's keys is its clock.
 */
export interface RoomState {
	/** How many ticks of this client are in. */
	clockOf(client: number): number;
	keyAt(item: ItemId): string | undefined;
	/** The key of the first item of the client: its device owns the client in this document. */
	firstKeyOf(client: number): string | undefined;
	/** Every client that holds an item under the key. */
	clientsOf(key: string): readonly number[];
	/** Whether an item under the key stands to the right of another, by origin. */
	isChained(key: string): boolean;
}

/** What an item adds to the state once its key is known. */
export interface PlacedItem {
	readonly item: UpdateItem;
	readonly key: string;
}

export interface MutableRoomState extends RoomState {
	add(placed: PlacedItem): void;
	stateVector(): ReadonlyMap<number, number>;
	/** What was added, in order. */
	readonly added: readonly PlacedItem[];
}

/** An empty state, or one that sees through to `below` and keeps its additions to itself. */
export function createRoomState(below?: RoomState): MutableRoomState {
	const keysByClient = new Map<number, string[]>();
	const chained = new Set<string>();
	const added: PlacedItem[] = [];
	const baseOf = (client: number): number => below?.clockOf(client) ?? 0;
	// Made when twins are first asked for, which is rare, and kept from then on.
	let clientsByKey: Map<string, number[]> | undefined;
	const index = (): ReadonlyMap<string, readonly number[]> =>
		(clientsByKey ??= indexKeys(keysByClient));

	return {
		added,
		clockOf: (client) => baseOf(client) + (keysByClient.get(client)?.length ?? 0),
		keyAt: ({ client, clock }) =>
			clock < baseOf(client)
				? below?.keyAt({ client, clock })
				: keysByClient.get(client)?.[clock - baseOf(client)],
		firstKeyOf: (client) => below?.firstKeyOf(client) ?? keysByClient.get(client)?.[0],
		clientsOf: (key) => [...(below?.clientsOf(key) ?? []), ...(index().get(key) ?? [])],
		isChained: (key) => chained.has(key) || (below?.isChained(key) ?? false),
		add: (placed) => {
			const { item, key } = placed;
			const keys = keysByClient.get(item.client);
			if (keys === undefined) keysByClient.set(item.client, [key]);
			else keys.push(key);
			if (item.origin !== undefined) chained.add(key);
			if (clientsByKey !== undefined) addToIndex(clientsByKey, key, item.client);
			// The lowest layer lives as long as the room does and must not keep the texts.
			if (below !== undefined) added.push(placed);
		},
		stateVector: () => new Map(Array.from(keysByClient, ([client, keys]) => [client, keys.length]))
	};
}

function indexKeys(keysByClient: ReadonlyMap<number, readonly string[]>): Map<string, number[]> {
	const clientsByKey = new Map<string, number[]>();
	for (const [client, keys] of keysByClient) {
		for (const key of keys) addToIndex(clientsByKey, key, client);
	}
	return clientsByKey;
}

function addToIndex(clientsByKey: Map<string, number[]>, key: string, client: number): void {
	const clients = clientsByKey.get(key);
	if (clients === undefined) clientsByKey.set(key, [client]);
	else clients.push(client);
}
