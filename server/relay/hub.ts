import type { Sql } from 'postgres';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { encodeFeedNews, encodeHave, encodeUpdate } from '#sync/frames.ts';
import type { Written } from './batch.ts';
import type { Connection } from './connection.ts';
import { deviceKey, type Device, type NewFact, type Submission } from './submission.ts';
import { deliver, type Committed } from './delivery.ts';
import { haveRanges } from './have-book.ts';
import type { HaveShelf } from './have.ts';
import { catchUp, type Room } from './room.ts';
import { createRooms, type Rooms } from './rooms.ts';

/** Who is connected, and the documents they have open. */
export interface Hub extends Rooms {
	join(connection: Connection): void;
	leave(connection: Connection): void;
	connections(): Iterable<Connection>;
	inScope(scope: ScopeId): ReadonlySet<Connection>;
	/** RELAY-13. Takes a committed batch over and tells those whom it concerns: have, updates, feed. */
	tell(batch: readonly Submission[], written: Written): void;
	/** Passes on what was written into an open document by another way than its sockets. */
	passOn(room: Room): Promise<void>;
	/** Lets whoever has less than his document holds here catch up. */
	passOnHeld(): void;
	/** Tells devices that these facts of theirs are committed; their books have them. */
	tellHave(facts: readonly HadFact[]): void;
	/** Tells the sockets of a scope how far its feed has come. */
	tellFeed(scope: ScopeId, s: number): void;
}

/** A device's fact by its number. */
export interface HadFact {
	readonly device: Device;
	readonly n: number;
}

/** Somebody who follows a document is sent so much at once, and fetches the rest at his own pace. */
const PASSED_BYTES_MAX = 1024 * 1024;

export interface HubParts {
	readonly sql: Sql;
	readonly epoch: number;
	readonly shelf: HaveShelf;
}

export function createHub(parts: HubParts): Hub {
	const rooms = createRooms(parts.sql);
	const all = new Set<Connection>();
	const byRoom = createGroups<Room>();
	const byDevice = createGroups<string>();
	const byScope = createGroups<ScopeId>();

	return {
		...rooms,
		join: (connection) => {
			all.add(connection);
			byRoom.add(connection.room, connection);
			byDevice.add(deviceKey(connection.caller), connection);
			byScope.add(connection.caller.scope, connection);
		},
		leave: (connection) => {
			all.delete(connection);
			byRoom.remove(connection.room, connection);
			byDevice.remove(deviceKey(connection.caller), connection);
			byScope.remove(connection.caller.scope, connection);
		},
		connections: () => all,
		tell: (batch, written) => {
			const committedByRoom = takeOver(batch, written);
			const facts = factsOf(written);
			tellHave(parts, byDevice, noteFacts(parts.shelf, facts));
			for (const [room, committed] of committedByRoom) {
				for (const connection of byRoom.of(room)) deliver(parts.sql, connection, committed);
			}
			const moved = new Set(facts.map(({ device }) => device.scope));
			for (const scope of moved) {
				tellFeed(byScope.of(scope), written.feeds.get(scope) ?? 0);
			}
		},
		passOn: async (room) => {
			const committed = await takeStored(parts.sql, room);
			for (const connection of byRoom.of(room)) deliver(parts.sql, connection, committed);
		},
		passOnHeld: () => {
			for (const connection of all) deliver(parts.sql, connection, []);
		},
		tellHave: (facts) => {
			tellHave(parts, byDevice, facts);
		},
		inScope: (scope) => byScope.of(scope),
		tellFeed: (scope, s) => {
			tellFeed(byScope.of(scope), s);
		}
	};
}

/**
 * RELAY-25. The rooms learn what their documents hold now. Returns what is to be passed on, in order:
 * nothing for a room that the batch only caught up with what another relay wrote, whose readers
 * catch up too. Between the commit and this somebody may have caught a room up from the database:
 * what it has then, it does not take a second time, and its place never goes back.
 */
function takeOver(
	batch: readonly Submission[],
	{ decisions, sequences }: Written
): ReadonlyMap<Room, readonly Committed[]> {
	const sentByRoom = new Map<Room, Sent[]>();
	batch.forEach(({ room, sender }, at) => {
		const decision = decisions[at];
		if (decision?.kind !== 'accepted') return;
		for (const placed of decision.items) {
			const { client, clock } = placed.item;
			if (clock >= room.state.clockOf(client)) room.state.add(placed);
		}
		const sent = sentByRoom.get(room) ?? [];
		sentByRoom.set(room, sent);
		sent.push(...decision.pieces.map((piece) => ({ frame: encodeUpdate(piece), sender })));
	});
	for (const [room, sequence] of sequences) room.sequence = Math.max(room.sequence, sequence);
	return new Map(
		Array.from(sequences, ([room, last]) => [room, numbered(sentByRoom.get(room) ?? [], last)])
	);
}

/** What others wrote into the document since this relay last looked, as far as is worth holding. */
async function takeStored(sql: Sql, room: Room): Promise<readonly Committed[]> {
	const committed: Committed[] = [];
	let bytesHeld = 0;
	await catchUp(sql, room, ({ after, sequence, bytes }) => {
		bytesHeld += bytes.byteLength;
		if (bytesHeld > PASSED_BYTES_MAX) return;
		committed.push({ after, sequence, frame: encodeUpdate(bytes), sender: ELSEWHERE });
	});
	return committed;
}

/** The sender of what no socket of this relay sent. */
const ELSEWHERE = {};

type Sent = Omit<Committed, 'after' | 'sequence'>;

/** The pieces of one batch follow each other in a document, up to its last one. */
function numbered(sent: readonly Sent[], last: number): readonly Committed[] {
	return sent.map((piece, at) => {
		const after = last - sent.length + at;
		return { ...piece, after, sequence: after + 1 };
	});
}

/** What came in by a batch, in order. */
export function factsOf({ decisions }: Written): readonly NewFact[] {
	return decisions.flatMap((decision) => (decision.kind === 'accepted' ? decision.facts : []));
}

function noteFacts(shelf: HaveShelf, facts: readonly NewFact[]): readonly HadFact[] {
	return facts.map(({ device, fact: { n }, digest }) => {
		shelf.add(device, n, digest);
		return { device, n };
	});
}

/** Every socket of a device hears it: the one that sent the facts may be gone by now. */
function tellHave(
	{ epoch, shelf }: HubParts,
	byDevice: Groups<string>,
	facts: readonly HadFact[]
): void {
	for (const [key, ofDevice] of Map.groupBy(facts, ({ device }) => deviceKey(device))) {
		const book = ofDevice[0] === undefined ? undefined : shelf.find(ofDevice[0].device);
		if (book === undefined) continue;
		const frame = encodeHave({
			epoch,
			ranges: haveRanges(
				book,
				ofDevice.map(({ n }) => n)
			)
		});
		for (const connection of byDevice.of(key)) connection.send(frame);
	}
}

function tellFeed(connections: Iterable<Connection>, s: number): void {
	const frame = encodeFeedNews({ s });
	for (const connection of connections) connection.send(frame);
}

/** Connections by something that they have in common. */
interface Groups<Key> {
	of(key: Key): ReadonlySet<Connection>;
	add(key: Key, connection: Connection): void;
	remove(key: Key, connection: Connection): void;
}

const NOBODY: ReadonlySet<Connection> = new Set();

function createGroups<Key>(): Groups<Key> {
	const groups = new Map<Key, Set<Connection>>();
	return {
		of: (key) => groups.get(key) ?? NOBODY,
		add: (key, connection) => {
			const group = groups.get(key);
			if (group === undefined) groups.set(key, new Set([connection]));
			else group.add(connection);
		},
		remove: (key, connection) => {
			const group = groups.get(key);
			group?.delete(connection);
			if (group?.size === 0) groups.delete(key);
		}
	};
}
