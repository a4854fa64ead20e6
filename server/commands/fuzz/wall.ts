import { createHash } from 'node:crypto';
import * as Y from 'yjs';
import { formatDocumentName, utcDay } from '#documents/document-name.ts';
import { assert } from '#domain/assert.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseDeviceCode } from '#domain/ids.ts';
import type { Result } from '#domain/result.ts';
import type { DeviceCaller } from '#server/auth/device-auth.ts';
import { checkFact, type CheckRefusal } from '#server/relay/check-fact.ts';
import { decide, type Decision } from '#server/relay/decide.ts';
import type { Ground } from '#server/relay/ground.ts';
import { factKey } from '#server/relay/submission.ts';
import { codeOf } from '#server/relay/place-items.ts';
import type { Room } from '#server/relay/room.ts';
import { createRoomState } from '#server/relay/room-state.ts';
import { parseUpdate, type ParsedUpdate, type UpdateItem } from '#server/relay/update-parser.ts';
import { BRANCH, BUSINESS, CODE, honestDocument, NOW, STUB_SIGNER, type Corpus } from './corpus.ts';

/** The relay's wall with a document behind it, in memory: no socket, no database. */
export interface Wall {
	/** What becomes of an update; throws where the wall or what it let through did wrong. */
	readonly try: (bytes: Uint8Array) => Promise<'accepted' | 'refused'>;
	readonly clockOf: (client: number) => number;
	/** How many keys the document has. */
	readonly size: () => number;
}

/** Takes every signature, so that the same seed makes the same bytes. */
export const TRUSTING_CRYPTO: CryptoParts = {
	sha256: (bytes) => Promise.resolve(new Uint8Array(createHash('sha256').update(bytes).digest())),
	hmacSha256: () => Promise.resolve(new Uint8Array(32)),
	verify: () => Promise.resolve(true)
};

/** `isRestored`: after a restore, when devices may tell of others too. */
export function createWall(
	{ facts }: Corpus,
	{ isRestored }: { readonly isRestored: boolean }
): Wall {
	const held = createHeld(honestDocument(facts));
	return {
		clockOf: (client) => held.room.state.clockOf(client),
		size: () => held.doc.getMap('f').size,
		try: async (bytes) => {
			const parsed = parseUpdate(bytes);
			if (!parsed.ok) return 'refused';
			const ground = groundOf(held, isRestored);
			const checks = await checkItems(parsed.value, held);
			const submission = {
				room: held.room,
				caller: CALLER,
				update: parsed.value,
				checks,
				sender: held
			};
			const decision = decide(submission, ground);
			if (decision.kind !== 'accepted') return 'refused';
			takeIn(held, { bytes, decision, ground });
			return 'accepted';
		}
	};
}

interface Held {
	readonly room: Room;
	/** What a device shows that was sent what the relay sends. */
	readonly doc: Y.Doc;
	readonly texts: Map<string, string>;
}

const code = parseDeviceCode(CODE);
assert(code.ok, 'a letter is a code');
const CALLER: DeviceCaller = {
	...{ sort: 'device', scope: BUSINESS, business: BUSINESS, branch: BRANCH, code: code.value },
	...{ member: 1, role: 'owner', sight: 'office', publicKey: STUB_SIGNER.publicKey }
};

function createHeld(doc: Y.Doc): Held {
	const address = {
		kind: 'journal',
		business: BUSINESS,
		branch: BRANCH,
		day: utcDay(NOW)
	} as const;
	const room = {
		name: formatDocumentName(address),
		address,
		state: createRoomState(),
		sequence: 0
	};
	const parsed = parseUpdate(Y.encodeStateAsUpdate(doc));
	assert(parsed.ok, 'an honest document is read');
	for (const item of parsed.value.items) room.state.add({ item, key: item.key ?? '' });
	const texts = new Map(entriesOf(doc).map(([key, text]) => [factKey(BUSINESS, key), text]));
	return { room, doc, texts };
}

function entriesOf(doc: Y.Doc): readonly (readonly [string, string])[] {
	return Array.from(doc.getMap<string>('f').entries());
}

function groundOf({ texts }: Held, isRestored: boolean): Ground {
	return {
		textByFact: new Map(texts),
		idByFirst: new Map(),
		layerByRoom: new Map(),
		removed: new Set(),
		signedOut: new Set(),
		allowance: { beyond: () => [], take: () => undefined, keep: () => Promise.resolve() },
		restoredIn: isRestored ? 4 : undefined
	};
}

/** As a socket's session does; what is carried is checked as if its author had sent it. */
async function checkItems(
	{ items }: ParsedUpdate,
	{ room }: Held
): Promise<ReadonlyMap<UpdateItem, Result<Fact, CheckRefusal>>> {
	const checks = new Map<UpdateItem, Result<Fact, CheckRefusal>>();
	const parts = { caller: CALLER, address: room.address, crypto: TRUSTING_CRYPTO, now: NOW };
	for (const item of items) {
		if (item.text === undefined || item.clock < room.state.clockOf(item.client)) continue;
		checks.set(item, await checkFact(item.text, parts));
	}
	return checks;
}

type Accepted = Extract<Decision, { readonly kind: 'accepted' }>;

interface Taken {
	readonly bytes: Uint8Array;
	readonly decision: Accepted;
	readonly ground: Ground;
}

/**
 * The oracle: what was let through is what Yjs takes, whole, and it changes no key that it did not
 * add, whether as the relay writes it anew or as it came.
 */
function takeIn(held: Held, { bytes, decision, ground }: Taken): void {
	const { room, doc, texts } = held;
	const before = new Map(entriesOf(doc));
	const raw = new Y.Doc();
	Y.applyUpdate(raw, Y.encodeStateAsUpdate(doc));
	apply(held, decision);
	const after = new Map(entriesOf(doc));
	assertKept(before, after);
	const added = new Set(decision.items.map(({ key }) => key));
	for (const key of added) assert(after.has(key), `${key} is shown`);
	for (const [key, text] of after) {
		assert(before.has(key) || added.has(key), `${key} came from nowhere`);
		assert(ground.textByFact.get(factKey(BUSINESS, key)) === text, `${key} is what was decided`);
		texts.set(factKey(BUSINESS, key), text);
	}
	// What stays out of the relay's document may be in the sender's own, and there it may win.
	if (decision.leftOut.length > 0) return;
	Y.applyUpdate(raw, bytes);
	const unchained = Array.from(before).filter(([key]) => !room.state.isChained(key));
	assertKept(new Map(unchained), new Map(entriesOf(raw)));
}

/** The pieces into Yjs and the items into the room, which agree of it. */
function apply({ room, doc }: Held, { pieces, items }: Accepted): void {
	for (const piece of pieces) {
		assert(parseUpdate(piece).ok, 'what is stored is read again');
		Y.applyUpdate(doc, piece);
	}
	for (const placed of items) {
		room.state.add(placed);
		const first = room.state.firstKeyOf(placed.item.client) ?? '';
		assert(codeOf(first) === codeOf(placed.key), 'a client has one author');
	}
	assert(doc.store.pendingStructs === null && doc.store.pendingDs === null, 'nothing is left over');
	assert(isAlike(stateOf(doc), room.state.stateVector()), 'Yjs has what the room has');
}

function assertKept(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
	for (const [key, text] of before) assert(after.get(key) === text, `${key} stays as it was`);
}

function stateOf(doc: Y.Doc): ReadonlyMap<number, number> {
	return Y.decodeStateVector(Y.encodeStateVector(doc));
}

function isAlike(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean {
	return a.size === b.size && Array.from(a).every(([client, clock]) => b.get(client) === clock);
}
