import { drizzle } from 'drizzle-orm/postgres-js';
import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { parseDocumentName } from '#documents/document-name.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { createTickets } from '#server/auth/tickets.ts';
import type { RelaySocket } from '#server/relay/relay-socket.ts';
import { encodeStep1, MESSAGE_SYNC } from '#sync/frames.ts';
import type { Violation } from './invariants.ts';
import { documentsApart } from './open-documents.ts';
import { alone } from './upheaval.ts';
import { wordsOf, type World } from './world.ts';

interface Target {
	readonly scope: ScopeId;
	readonly sort: 'device' | 'phone';
	readonly code: string;
	readonly document: string;
}

const STARTED_MS = 10_000;
const LOOKED_MS = 40_000;
const ANSWER_MS = 20_000;
const ANSWERED_MS = 600_000;

/** Each relay is asked, as a stock client asks, what it has of each newest document. */
export async function roomsOf(world: World): Promise<readonly Violation[]> {
	const { time, relays, chance } = world;
	if (relays.some(({ isDead }) => isDead())) await time.run(time.now() + STARTED_MS);
	const found: Violation[] = [];
	const asked = { isDone: false };
	const dice = chance.apart('rooms');
	const targets = await targetsOf(world);
	const ask = async (): Promise<void> => {
		for (const target of targets)
			for (const place of relays.keys()) {
				const detail = await askTwice({ world, place, target, dice });
				if (detail === undefined) continue;
				found.push({ promise: 'rooms agree', detail: `relay ${String(place + 1)}: ${detail}` });
			}
	};
	const asking = ask().finally(() => {
		asked.isDone = true;
	});
	await time.run(time.now() + ANSWERED_MS, () => asked.isDone);
	if (!asked.isDone)
		return [...found, { promise: 'rooms agree', detail: 'a relay did not answer' }];
	await asking;
	return found;
}

/** The newest journal of each branch and side of each person, and who may open it. */
async function targetsOf({ server: { sql } }: World): Promise<readonly Target[]> {
	const rows = await sql<{ scope: ScopeId; document: string }[]>`
		select distinct on (business, kept) business as scope, document
		from document_head, lateral (
			select regexp_replace(document, '[0-9]+$', '') as kept
		) as named
		where sequence > 0 and left(document, 1) in ('j', 's')
		order by business, kept, document desc`;
	const devices = await sql<{ scope: string; branch: string; code: string }[]>`
		select business as scope, branch, min(code) as code from device
		where removed_at is null group by business, branch`;
	return rows.flatMap(({ scope, document }): Target[] => {
		const address = parseDocumentName(document);
		if (!address.ok) return [];
		const { value } = address;
		if (!('branch' in value)) return [{ scope, document, sort: 'phone', code: 'p1' }];
		const own = devices.find((one) => one.scope === scope && one.branch === value.branch);
		return own === undefined ? [] : [{ scope, document, sort: 'device', code: own.code }];
	});
}

interface Asking {
	readonly world: World;
	readonly place: number;
	readonly target: Target;
	readonly dice: World['chance'];
}

/** A relay that was not told, or runs on an older database, finds out at its next look. */
async function askTwice(asking: Asking): Promise<string | undefined> {
	const { time, count } = asking.world;
	if ((await askInTime(asking)) === undefined) return undefined;
	count('room behind until the next look');
	await new Promise<void>((resolve) => {
		time.after(LOOKED_MS, resolve);
	});
	return askInTime(asking);
}

/** One that ends while it is asked never answers. */
function askInTime(asking: Asking): Promise<string | undefined> {
	const { time } = asking.world;
	return new Promise((resolve) => {
		const stop = time.after(ANSWER_MS, () => {
			resolve('no answer');
		});
		askOne(asking)
			.catch(wordsOf)
			.then((detail) => {
				stop();
				resolve(detail);
			}, resolve);
	});
}

/** What is wrong with the answer; undefined where nothing is. */
async function askOne({ world, place, target, dice }: Asking): Promise<string | undefined> {
	const { server, time } = world;
	const { document, ...holder } = target;
	const tickets = createTickets({
		executor: drizzle(server.sql),
		clock: time.now,
		random: { bytes: dice.bytes, uuid: dice.uuid }
	});
	let ticket = '';
	await alone(world, async () => {
		ticket = await tickets.create(holder, document);
	});
	const socket = new AskingSocket();
	await world.relays[place]?.accept(socket, { document, ticket });
	const told = await socket.ask();
	socket.leave();
	if (typeof told === 'string') return told;
	const { doc } = socket;
	const comparing = documentsApart(server.sql, [{ who: 'a reader', name: document, doc }]);
	// Else what comes next would come sooner or later than it.
	time.awaits(comparing);
	const [apart] = await comparing;
	if (apart !== undefined) return apart;
	const held = Y.decodeStateVector(Y.encodeStateVector(doc));
	const isSame = told.size === held.size && [...told].every(([by, to]) => held.get(by) === to);
	return isSame ? undefined : `${document}: the room says another state than the database has`;
}

type Heard = (...args: never[]) => void;

/** A stock client with an empty document, on a line that takes no time. */
class AskingSocket implements RelaySocket {
	readonly OPEN = 1;
	readonly bufferedAmount = 0;
	readonly doc = new Y.Doc();
	readyState = 1;
	readonly #heard: (readonly [event: string, heard: Heard])[] = [];
	readonly #answered = Promise.withResolvers<ReadonlyMap<number, number> | string>();

	on(event: string, heard: Heard): void {
		this.#heard.push([event, heard]);
	}

	/** The state that the relay says, or how it closed. */
	ask(): Promise<ReadonlyMap<number, number> | string> {
		this.#call('message', Buffer.from(encodeStep1(new Map())), true);
		return this.#answered.promise;
	}

	send(frame: Uint8Array, sent?: () => void): void {
		sent?.();
		const decoder = decoding.createDecoder(frame);
		if (decoding.readVarUint(decoder) !== MESSAGE_SYNC) return;
		const isStep1 = decoding.readVarUint(decoder) === 0;
		const bytes = decoding.readVarUint8Array(decoder);
		if (isStep1) this.#answered.resolve(Y.decodeStateVector(bytes));
		else Y.applyUpdate(this.doc, bytes);
	}

	ping(): void {
		this.#call('pong');
	}

	close(code: number, reason: string): void {
		this.#answered.resolve(`a reader was closed: ${String(code)} ${reason}`);
		this.leave();
	}

	terminate(): void {
		this.close(1006, 'cut off');
	}

	leave(): void {
		if (this.readyState === 3) return;
		this.readyState = 3;
		this.#call('close');
	}

	#call(event: string, ...args: unknown[]): void {
		for (const [of, heard] of this.#heard) if (of === event) heard(...(args as never[]));
	}
}
