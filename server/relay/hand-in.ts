import type { Sql } from 'postgres';
import { scopeOf, type DocumentAddress } from '#documents/document-name.ts';
import { assert } from '#domain/assert.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseDeviceCode, parseFactId } from '#domain/ids.ts';
import { ok } from '#domain/result.ts';
import type { FactToHandIn, HandedIn, HandIn, HandInWay } from '#server/auth/handed-in.ts';
import type { Caller } from '#server/auth/phone-auth.ts';
import { raiseDeviceCode } from '#server/database/device-codes.ts';
import type { FoldMeter } from '#server/database/fold-meter.ts';
import { deviceKey, type Bearer, type Device } from './submission.ts';
import type { DayLimits } from './allowance.ts';
import { appendToFeed } from './feed-only.ts';
import { readGiven, type Given, type Read } from './given-fact.ts';
import { readTexts } from './known-facts.ts';
import type { Returned } from './returned.ts';
import type { Rooms } from './rooms.ts';
import { textItem } from './update-writer.ts';
import type { Outcome, WritePath } from './write-path.ts';

export interface HandInParts {
	readonly sql: Sql;
	/** Milliseconds UTC. */
	readonly clock: () => number;
	readonly crypto: CryptoParts;
	/** The database's current epoch. */
	readonly epoch: number;
	readonly rooms: Pick<Rooms, 'hold' | 'release'>;
	readonly writePath: Pick<WritePath, 'submit'>;
	/** A Yjs client that nobody uses: 53 bits of chance. */
	readonly freshClient: () => number;
	/** Hears of a feed that moved by facts that stand in no document. */
	readonly feedMoved: (scope: Device['scope']) => Promise<void>;
	/** Who writes again since a restore. */
	readonly returned: Returned;
	/** In the place of `DAY_LIMITS`. */
	readonly dayLimits?: DayLimits;
	/** Without it, nobody's folding is bounded. */
	readonly folds?: Pick<FoldMeter, 'isSpent' | 'take'>;
}

/** How many facts go into one update: enough to be quick, few enough to be tried again one by one. */
const SUBMISSION_FACTS_MAX = 256;

/**
 * RELAY-40, RELAY-41, RELAY-42. The way in for facts that no socket brings: carried by another device
 * after a restore, or a removed device's that the owner takes in.
 */
export function createHandIn(parts: HandInParts): HandIn {
	return {
		handIn: async (caller, facts, as) => {
			const handing = { ...parts, caller, as };
			const read = await readGiven(facts, handing);
			await noteCodes(read, handing);
			const answers = new Map<FactToHandIn, HandedIn>();
			await writeAll(await sortKnown(read, handing, answers), handing, answers);
			return facts.map((given) => {
				const answer = answers.get(given);
				assert(answer !== undefined, 'each fact is answered for');
				return answer;
			});
		}
	};
}

/**
 * KEEP-16. A device that nobody here knows wrote under a code that a restore forgot: whoever hands in its
 * facts holds them, and no other device is to be called so.
 */
async function noteCodes(read: readonly Read[], { sql, caller, as }: Handing): Promise<void> {
	if (as !== 'carried' || caller.sort === 'phone') return;
	const { business } = caller;
	const codes = read.flatMap((one) => {
		if (one.kind !== 'refused' || one.reason !== 'authorUnknown') return [];
		const id = parseFactId(one.id);
		return id.ok && parseDeviceCode(id.value.code).ok ? id.value.code : [];
	});
	if (codes.length === 0) return;
	await sql.begin((tx) =>
		raiseDeviceCode(tx as unknown as Sql, business, Array.from(new Set(codes)))
	);
}

interface Handing extends HandInParts {
	readonly caller: Caller;
	readonly as: HandInWay;
}

type Answers = Map<FactToHandIn, HandedIn>;

interface Sorted {
	/** The first of each id that is not there. */
	readonly news: readonly Given[];
	/** What is there, or comes before it, with another text. */
	readonly apart: readonly Given[];
}

/** Answers for what is refused or there already. */
async function sortKnown(
	read: readonly Read[],
	{ sql, caller }: Handing,
	answers: Answers
): Promise<Sorted> {
	const named = read.flatMap((one) => (one.kind === 'refused' ? [] : [one]));
	const textById = await readTexts(
		sql,
		caller.scope,
		named.map(({ fact }) => fact)
	);
	const apart: Given[] = [];
	const news: Given[] = [];
	for (const one of read) {
		if (one.kind === 'refused') {
			answers.set(one.given, { id: one.id, became: 'refused', reason: one.reason });
			continue;
		}
		const { id } = one.fact;
		const known = textById.get(id);
		if (known === undefined && one.isAuthorBack) {
			answers.set(one.given, { id, became: 'refused', reason: 'authorBack' });
		} else if (known === undefined) {
			textById.set(id, one.given.text);
			news.push(one);
		} else if (known === one.given.text) answers.set(one.given, { id, became: 'known' });
		else apart.push(one);
	}
	return { news, apart };
}

/**
 * Each document's facts of each author go in together; what stands in no document goes into the feed,
 * and what is kept apart goes with it.
 */
async function writeAll(
	{ news, apart }: Sorted,
	handing: Handing,
	answers: Answers
): Promise<void> {
	const placed = news.flatMap((one) =>
		one.address === null ? [] : [{ ...one, address: one.address }]
	);
	const unplaced = [...news.filter(({ address }) => address === null), ...apart];
	const lots = Map.groupBy(placed, ({ author, name }) => `${deviceKey(author)} ${name}`);
	await Promise.all(Array.from(lots.values(), (lot) => writeLot(lot, handing, answers)));
	if (unplaced.length === 0) return;
	const bearer = bearerIn(handing);
	for (const { given, fact, became } of await appendToFeed(handing, unplaced, bearer)) {
		answers.set(given, { id: fact.id, ...became });
	}
	await handing.feedMoved(handing.caller.scope);
}

interface Placed extends Given {
	readonly address: DocumentAddress;
}

async function writeLot(lot: readonly Placed[], handing: Handing, answers: Answers): Promise<void> {
	for (let start = 0; start < lot.length; start += SUBMISSION_FACTS_MAX) {
		const piece = lot.slice(start, start + SUBMISSION_FACTS_MAX);
		const outcome = await submit(piece, handing);
		if (outcome.kind === 'accepted') noteAccepted(piece, outcome.facts, answers);
		else await writeAlone(piece, handing, answers);
	}
}

/** What was refused as a whole is tried one by one: one of them stops no other. */
async function writeAlone(
	piece: readonly Placed[],
	handing: Handing,
	answers: Answers
): Promise<void> {
	for (const one of piece) {
		const outcome = await submit([one], handing);
		if (outcome.kind === 'accepted') noteAccepted([one], outcome.facts, answers);
		else answers.set(one.given, { id: one.fact.id, ...badOutcome(outcome) });
	}
}

function noteAccepted(
	piece: readonly Placed[],
	fresh: readonly { readonly fact: Fact }[],
	answers: Answers
): void {
	const ids = new Set(fresh.map(({ fact }) => fact.id));
	for (const { given, fact } of piece) {
		answers.set(given, { id: fact.id, became: ids.has(fact.id) ? 'kept' : 'known' });
	}
}

function badOutcome(
	outcome: Exclude<Outcome, { readonly kind: 'accepted' }>
): Pick<HandedIn, 'became' | 'reason'> {
	switch (outcome.kind) {
		case 'fork':
			return { became: 'conflict' };
		case 'refused': {
			const reason = outcome.refused[0]?.[1] ?? 'refused';
			// The act is there already, under the name that its author's heir gave it.
			return reason === 'again' ? { became: 'known' } : { became: 'refused', reason };
		}
		case 'removed':
			return { became: 'refused', reason: 'deviceRemoved' };
		case 'unavailable':
			// By its cause whoever asked is told to come again.
			throw new Error('The database is away.', { cause: outcome.fault });
		default:
			return { became: 'refused', reason: 'fault' };
	}
}

/** As texts under a client of its own: a client belongs to one author, and to no one's other words. */
async function submit(piece: readonly Placed[], handing: Handing): Promise<Outcome> {
	const [first] = piece;
	assert(first !== undefined, 'somebody is handed in');
	const { rooms, writePath, freshClient } = handing;
	const { name, address, author } = first;
	try {
		const room = await rooms.hold(name, address);
		const client = freshClient();
		const items = piece.map(({ fact, given }, clock) =>
			textItem({ client, clock, key: fact.id, text: given.text })
		);
		return await writePath.submit({
			room,
			caller: { scope: scopeOf(address), code: author.code },
			bearer: bearerIn(handing),
			update: { items, deletions: [] },
			checks: new Map(items.map((item, at) => [item, ok(piece[at]?.fact ?? first.fact)])),
			sender: handing.caller
		});
	} finally {
		// Where it could not be read too: held on to, it would be open to nobody until the relay ends.
		rooms.release(name);
	}
}

function bearerIn({ caller, as }: Handing): Bearer {
	return { code: caller.code, isCarrying: as === 'carried' };
}
