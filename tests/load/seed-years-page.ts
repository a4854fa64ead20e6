import { encodeBase64url } from '#domain/bytes.ts';
import type { BusinessId } from '#domain/ids.ts';
import { databaseName, REGISTRY_NAME } from '#state/database-name.ts';
import { createRegistry } from '#state/registry.ts';
import { createSigner } from '#state/web-crypto.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import type { DeviceStore, Rows, TableName } from '#storage/device-store.ts';
import { foldSeeded } from './seed-years-fold.ts';

/** The key of the seeded device, as it goes to the page. */
export interface SeedKeys {
	readonly privateKey: JsonWebKey;
	readonly publicKey: JsonWebKey;
}

const PUT_AT_A_TIME = 4_000;
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/**
 * Runs in the page: puts the rows that `source` streams, a piece a line, into the device's database,
 * in big transactions; makes the business the current one. Answers how many rows there were.
 */
export async function fill(business: BusinessId, source: string, keys: SeedKeys): Promise<number> {
	const store = createDexieDeviceStore(databaseName(business));
	const waiting = new Map<TableName, Rows[TableName][]>();
	let count = 0;
	for await (const line of linesOf(source)) {
		const { table, rows } = JSON.parse(line, revive) as {
			table: TableName;
			rows: Rows[TableName][];
		};
		const held = [...(waiting.get(table) ?? []), ...rows];
		waiting.set(table, held);
		count += rows.length;
		if (held.length >= PUT_AT_A_TIME) await put(store, table, waiting);
	}
	for (const table of waiting.keys()) await put(store, table, waiting);
	await putKeys(store, keys);
	await foldSeeded(store, business);
	store.close();
	const registry = createRegistry(createDexieDeviceStore(REGISTRY_NAME));
	await registry.enter(business);
	registry.close();
	return count;
}

async function put(
	store: DeviceStore,
	table: TableName,
	waiting: Map<TableName, Rows[TableName][]>
): Promise<void> {
	const rows = waiting.get(table) ?? [];
	waiting.set(table, []);
	await store.write([table], (writer) => writer.put(table, rows));
}

/** The device's private half cannot be read, as if it had been made here. */
async function putKeys(store: DeviceStore, keys: SeedKeys): Promise<void> {
	const { subtle } = crypto;
	const privateKey = await subtle.importKey('jwk', keys.privateKey, CURVE, false, ['sign']);
	const publicKey = await subtle.importKey('jwk', keys.publicKey, CURVE, true, ['verify']);
	const signer = await createSigner({ privateKey, publicKey });
	await store.write(['meta'], async (rows) => {
		const identity = (await rows.get('meta', 'identity'))?.value as object;
		const point = encodeBase64url(signer.publicKey);
		await rows.put('meta', [
			{ key: 'keys', value: { privateKey, publicKey } },
			{ key: 'identity', value: { ...identity, publicKey: point } }
		]);
	});
}

async function* linesOf(source: string): AsyncGenerator<string> {
	const response = await fetch(source);
	if (response.body === null) throw new Error('the seed has no rows');
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	let rest = '';
	for (;;) {
		const { done, value } = await reader.read();
		if (done) break;
		const lines = (rest + value).split('\n');
		rest = lines.pop() ?? '';
		yield* lines;
	}
	if (rest !== '') yield rest;
}

/** Sums go as texts with a mark before them. */
function revive(_key: string, value: unknown): unknown {
	return typeof value === 'string' && value.startsWith('\u0001') ? BigInt(value.slice(1)) : value;
}
