import * as Y from 'yjs';
import { journalName } from '#documents/document-name.ts';
import { err, ok } from '#domain/result.ts';
import { createAccountApi } from '#state/account-api.ts';
import { createRelayHttp, tokenRefusal, type RelayHttp } from '#state/relay-http.ts';
import { encodeUpdate } from '#sync/frames.ts';
import type { Chance } from './chance.ts';
import { RELAY_ORIGIN, type Line } from './network.ts';
import type { ShopDevice } from './shop-rows.ts';
import { isExpected, tellFault, type World } from './world.ts';

/** A device that is let in and means the others no good. */
interface Hostile {
	readonly world: World;
	readonly device: ShopDevice;
	readonly line: Line;
	readonly http: RelayHttp;
	readonly dice: Chance;
}

const SOCKET_MS = 2_000;
const alive = { isDead: (): boolean => false };

/** Until `end` it opens one socket after the other, and says on each what no honest device says. */
export function scheduleHostile(world: World, device: ShopDevice, end: number): void {
	const { time, chance, network } = world;
	const dice = chance.apart('hostile');
	const line = network.createLine(`hostile ${device.identity.code}`);
	const { fetch } = line.connector(alive);
	const api = createAccountApi({ fetch, base: RELAY_ORIGIN });
	const http = createRelayHttp({
		fetch,
		base: RELAY_ORIGIN,
		clock: time.now,
		getToken: async () => {
			const token = await api.deviceToken(device.identity, device.signer);
			return token.ok ? ok(token.value) : err(tokenRefusal(token.error));
		}
	});
	const hostile = { world, device, line, http, dice };
	const again = (): void => {
		if (time.now() >= end) return;
		time.after(dice.between(500, 4_000), again);
		strike(hostile).catch((fault: unknown) => {
			if (!isExpected(fault) && !/not reached|no ticket/.test(String(fault)))
				tellFault(world, line.name, fault);
		});
	};
	time.after(dice.below(4_000), again);
}

async function strike({ world, device, line, http, dice }: Hostile): Promise<void> {
	const { business, branch } = device.identity;
	const document = journalName(business, branch, world.time.now());
	const answer = await http.ticket(document);
	if (!('ticket' in answer)) return;
	const { WebSocket } = line.connector(alive);
	const origin = RELAY_ORIGIN.replace('http', 'ws');
	const socket = new WebSocket(`${origin}/sync/${document}?ticket=${answer.ticket}`);
	const victims = await victimsOf(world);
	socket.onopen = () => {
		for (let left = dice.between(1, 3); left > 0; left -= 1) {
			world.count('hostile message');
			socket.send(Uint8Array.from(evil(dice, device.identity.code, victims)));
		}
		world.time.after(SOCKET_MS, () => {
			socket.close();
		});
	};
}

interface Victims {
	readonly ids: readonly string[];
	/** Yjs clients of others in this day's document. */
	readonly clients: readonly number[];
}

async function victimsOf({ stations, watch }: World): Promise<Victims> {
	const [first] = stations;
	const rows = await first?.profile.disk.store.read(['facts'], (read) => read.all('facts'));
	return { ids: rows?.map(({ id }) => String(id)) ?? [], clients: watch.clients() };
}

function evil(dice: Chance, code: string, { ids, clients }: Victims): Uint8Array {
	const other = ids.length > 0 ? dice.pick(ids) : 'A-1';
	const own = `${code}-${String(dice.between(1, 1_000))}`;
	const client = clients.length > 0 && dice.percent(50) ? dice.pick(clients) : dice.below(2 ** 53);
	switch (dice.below(8)) {
		case 0:
			return dice.bytes(dice.between(1, 200));
		case 1:
			return encodeUpdate(dice.bytes(dice.between(1, 200)));
		case 2:
			return told(client, (map) => map.set(other, `["${other}","sale",1]`));
		case 3:
			return told(client, (map) => {
				map.set(other, 'x');
				map.delete(other);
			});
		case 4:
			return told(client, (map) => map.set(own, new Y.Map([['deep', new Y.Map()]])));
		case 5:
			return told(client, (map) => map.set('__proto__', `["${own}","sale"]`));
		case 6:
			return torn(
				dice,
				told(client, (map) => map.set(own, `["${own}","setting",1,0,1,1,{}]`))
			);
		default:
			return told(client, (map) => {
				for (let n = 0; n < 20; n += 1) map.set(own, `["${own}","sale",${String(n)}]`);
			});
	}
}

function told(client: number, write: (map: Y.Map<unknown>) => void): Uint8Array {
	const doc = new Y.Doc();
	doc.clientID = client;
	doc.transact(() => {
		write(doc.getMap('f'));
	});
	return encodeUpdate(Y.encodeStateAsUpdate(doc));
}

/** One bit of it is another. */
function torn(dice: Chance, bytes: Uint8Array): Uint8Array {
	const copy = Uint8Array.from(bytes);
	const at = dice.below(copy.length);
	copy[at] = (copy[at] ?? 0) ^ (1 << dice.below(8));
	return copy;
}
