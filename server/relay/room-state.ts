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
	/** The items under the key, however many: what is asked of them costs the same. */
	twinsOf(key: string): Twins;
	/** Whether an item under the key stands to the right of another, by origin. */
	isChained(key: string): boolean;
}

/** RELAY-81. What there is to be known of the items under one key. */
export interface Twins {
	readonly count: number;
	/** The highest client that holds one; −1 where none does. */
	readonly lastClient: number;
}

const NO_TWINS: Twins = { count: 0, lastClient: -1 };

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
	let twinsByKey: Map<string, Twins> | undefined;
	const index = (): ReadonlyMap<string, Twins> => (twinsByKey ??= indexKeys(keysByClient));

	return {
		added,
		clockOf: (client) => baseOf(client) + (keysByClient.get(client)?.length ?? 0),
		keyAt: ({ client, clock }) =>
			clock < baseOf(client)
				? below?.keyAt({ client, clock })
				: keysByClient.get(client)?.[clock - baseOf(client)],
		firstKeyOf: (client) => below?.firstKeyOf(client) ?? keysByClient.get(client)?.[0],
		twinsOf: (key) => both(below?.twinsOf(key) ?? NO_TWINS, index().get(key) ?? NO_TWINS),
		isChained: (key) => chained.has(key) || (below?.isChained(key) ?? false),
		add: (placed) => {
			const { item, key } = placed;
			const keys = keysByClient.get(item.client);
			if (keys === undefined) keysByClient.set(item.client, [key]);
			else keys.push(key);
			if (item.origin !== undefined) chained.add(key);
			if (twinsByKey !== undefined) addToIndex(twinsByKey, key, item.client);
			// The lowest layer lives as long as the room does and must not keep the texts.
			if (below !== undefined) added.push(placed);
		},
		stateVector: () => new Map(Array.from(keysByClient, ([client, keys]) => [client, keys.length]))
	};
}

function indexKeys(keysByClient: ReadonlyMap<number, readonly string[]>): Map<string, Twins> {
	const twinsByKey = new Map<string, Twins>();
	for (const [client, keys] of keysByClient) {
		for (const key of keys) addToIndex(twinsByKey, key, client);
	}
	return twinsByKey;
}

function addToIndex(twinsByKey: Map<string, Twins>, key: string, client: number): void {
	twinsByKey.set(key, both(twinsByKey.get(key) ?? NO_TWINS, { count: 1, lastClient: client }));
}

function both(a: Twins, b: Twins): Twins {
	return { count: a.count + b.count, lastClient: Math.max(a.lastClient, b.lastClient) };
}
