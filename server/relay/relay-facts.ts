import type { Sql } from 'postgres';
import { formatDocumentName, journalName, utcDay } from '#documents/document-name.ts';
import { assert } from '#domain/assert.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { PERSON_FACT_KINDS } from '#domain/fact/ledger-fact.ts';
import { isRelaySigned, relayMessage } from '#domain/fact/relay-message.ts';
import { factId, type BusinessId, type PersonId } from '#domain/ids.ts';
import { STAMP_AHEAD_MAX_MS } from '#domain/stamp.ts';
import { systemRandom, type Random } from '#server/auth/random.ts';
import type {
	AppendRelayFacts,
	LockScopes,
	RelayFactDraft,
	ScopeId
} from '#server/auth/relay-fact-draft.ts';
import { rawSql } from '#server/database/transaction.ts';
import { checkEpoch, checkGrown } from '#server/database/went-back.ts';
import type { ProjectLedgerFacts } from '#server/projections/effected.ts';
import { digestOf } from './check-fact.ts';
import { textItem, writePieces } from './update-writer.ts';

export interface RelayFactParts extends WritingParts {
	readonly projectLedgerFacts: ProjectLedgerFacts;
}

export interface WritingParts {
	/** Milliseconds UTC. */
	readonly clock: () => number;
	readonly epoch: number;
	/** How far the feed of a scope is known to have come; 0 where nothing is known of it. */
	readonly cameTo?: (scope: ScopeId) => number;
	/** The machine's own where none is given. */
	readonly random?: Random;
	/** Without it nothing is signed, and after a restore it is nobody's word. */
	readonly relayKey?: Signer;
}

/** In one order for all, so that two who write into the same scopes never wait for each other. */
export const lockScopes: LockScopes = async (transaction, scopes) => {
	if (scopes.length === 0) return;
	const sql = rawSql(transaction);
	await sql`
		insert into feed_head (business) select * from unnest(${scopes}::uuid[]) order by 1
		on conflict do nothing`;
	await sql`
		select business from feed_head where business = any(${scopes}::uuid[])
		order by business for update`;
};

/**
 * RELAY-19. Writes the relay's own facts of a business or person into its feed, numbered on from the
 * last one, and into the document where they are looked for, in the caller's transaction. Whoever
 * has sockets hears of them when `feedMoved` is called, or soon.
 */
export function createAppendRelayFacts(parts: RelayFactParts): AppendRelayFacts {
	return async (transaction, scope, drafts) => {
		if (drafts.length === 0) return;
		const sql = rawSql(transaction);
		const facts = await writeRelayFacts(sql, parts, { scope, drafts });
		await parts.projectLedgerFacts(
			sql,
			facts.map((fact) => ({ business: scope as BusinessId, fact }))
		);
	};
}

export interface ToWrite {
	readonly scope: ScopeId;
	/** One at the least. */
	readonly drafts: readonly RelayFactDraft[];
}

/**
 * The same without what follows from them; returns the facts as they were written. Where the clock was ahead and is
 * set back, each is a little later than those before: who looked at them did not see it.
 */
export async function writeRelayFacts(
	sql: Sql,
	{ clock, epoch, cameTo = () => 0, random = systemRandom, relayKey }: WritingParts,
	{ scope, drafts }: ToWrite
): Promise<readonly Fact[]> {
	const now = clock();
	const count = drafts.length;
	// As it is before it is asked: what is known was committed.
	const known = cameTo(scope);
	const [head] = await sql<FeedHead[]>`
		insert into feed_head as held (business, s, relay_n, relay_wall)
		values (${scope}, ${count}, ${count}, ${now})
		on conflict (business) do update set s = held.s + ${count},
			relay_n = held.relay_n + ${count}, relay_wall =
				case when held.relay_wall > ${now} then held.relay_wall + 1 else ${now} end
		returning s, relay_n, relay_wall, (select max(epoch) from database_epoch) as epoch`;
	assert(head !== undefined, 'an upsert returns its row');
	// Numbers of an epoch that ended, or of a database that went back, may be given already, to other
	// facts that it forgot.
	checkEpoch(head.epoch, epoch);
	checkGrown(scope, Number(head.s) - count, known);
	const first = {
		s: Number(head.s) - count + 1,
		n: Number(head.relay_n) - count + 1,
		wall: Number(head.relay_wall)
	};
	const facts = drafts.map((draft, at) => factOf(draft, first.n + at, { wall: first.wall, epoch }));
	const whole = await Promise.all(facts.map((fact) => signed(fact, scope, relayKey)));
	const written = drafts.flatMap((draft, at): readonly Written[] => {
		const fact = whole[at];
		if (fact === undefined) return [];
		const document = documentOf(draft, scope, now);
		return [{ fact, text: encodeFact(fact), branch: draft.branch, document, s: first.s + at }];
	});
	await insertFacts(sql, scope, written);
	await insertIntoDocuments(sql, scope, { written, epoch, client: freshClient(random) });
	return written.map(({ fact }) => fact);
}

/** RELAY-90. By it a relay knows its word again, whoever hands it in after a restore. */
async function signed(fact: Fact, scope: ScopeId, relayKey: Signer | undefined): Promise<Fact> {
	if (relayKey === undefined || !isRelaySigned(fact)) return fact;
	// A person has no facts of these kinds.
	const message = relayMessage(scope as BusinessId, fact);
	return { ...fact, sig: encodeBase64url(await relayKey.sign(message)) };
}

interface FeedHead {
	readonly s: string;
	readonly relay_n: string;
	readonly relay_wall: string;
	readonly epoch: number | null;
}

interface Written {
	readonly fact: Fact;
	readonly text: string;
	readonly branch: string | null;
	readonly document: string | null;
	readonly s: number;
}

/** The relay's own day is UTC's. A fact's place among others of one instant is its number's. */
function factOf(
	draft: RelayFactDraft,
	n: number,
	{ wall: now, epoch }: { readonly wall: number; readonly epoch: number }
): Fact {
	const code = `0.${String(epoch)}`;
	// No further ahead than a device's clock may be, whose stamps count so far.
	const wall = Math.min(now + STAMP_AHEAD_MAX_MS, draft.saidAt ?? now);
	const on = new Date(wall).toISOString().slice(0, 10);
	const body = Object.fromEntries(
		Object.entries(draft).filter(([name]) => name !== 'branch' && name !== 'saidAt')
	);
	const head = { id: factId(code, n), code, n, at: { wall, counter: 0 }, on, by: 0 };
	// The kind stands in the draft, and with it the form of its body.
	return { ...body, ...head } as Fact;
}

const OF_PERSONS: ReadonlySet<string> = new Set(PERSON_FACT_KINDS);

function documentOf({ kind, branch }: RelayFactDraft, scope: ScopeId, now: number): string | null {
	if (OF_PERSONS.has(kind)) {
		const year = utcDay(now).slice(0, 4);
		return formatDocumentName({ kind: 'shopSide', person: scope as PersonId, year });
	}
	return branch === null ? null : journalName(scope as BusinessId, branch, now);
}

async function insertFacts(sql: Sql, scope: ScopeId, written: readonly Written[]): Promise<void> {
	await sql`
		insert into fact (business, code, n, kind, branch, document, wall, counter, on_day, member,
			text, digest, s)
		select ${scope}::uuid, code, n, kind, branch, document, wall, counter, on_day, 0, text,
			digest, s
		from unnest(
			${written.map(({ fact }) => fact.code)}::text[],
			${written.map(({ fact }) => fact.n)}::bigint[],
			${written.map(({ fact }) => fact.kind)}::text[],
			${written.map(({ branch }) => branch)}::uuid[],
			${written.map(({ document }) => document)}::text[],
			${written.map(({ fact }) => fact.at.wall)}::bigint[],
			${written.map(({ fact }) => fact.at.counter)}::int[],
			${written.map(({ fact }) => fact.on)}::text[]::date[],
			${written.map(({ text }) => text)}::text[],
			${written.map(({ text }) => String(BigInt.asIntN(64, digestOf(text))))}::bigint[],
			${written.map(({ s }) => s)}::bigint[]
		) as given (code, n, kind, branch, document, wall, counter, on_day, text, digest, s)`;
}

interface IntoDocuments {
	readonly written: readonly Written[];
	readonly epoch: number;
	/** For documents into which this epoch has not written yet. */
	readonly client: number;
}

async function insertIntoDocuments(
	sql: Sql,
	scope: ScopeId,
	{ written, epoch, client: fresh }: IntoDocuments
): Promise<void> {
	for (const [document, facts] of Map.groupBy(written, ({ document }) => document)) {
		if (document === null) continue;
		const { client, clock, sequence } = await takeClocks(
			sql,
			{ scope, document, epoch, fresh },
			facts.length
		);
		const items = facts.map(({ fact, text }, at) =>
			textItem({ client, clock: clock + at, key: fact.id, text })
		);
		const pieces = writePieces(items);
		await sql`
			insert into document_update (business, document, sequence, update)
			select ${scope}::uuid, ${document}, sequence, decode(hex, 'hex')
			from unnest(
				${pieces.map((_piece, at) => sequence + 1 + at)}::bigint[],
				${pieces.map((piece) => Buffer.from(piece).toString('hex'))}::text[]
			) as given (sequence, hex)`;
		await sql`
			update document_head set sequence = ${sequence + pieces.length}
			where business = ${scope} and document = ${document}`;
	}
}

interface DocumentOfEpoch {
	readonly scope: ScopeId;
	readonly document: string;
	readonly epoch: number;
	readonly fresh: number;
}

/** The client by which relays of one epoch write into a document, and its next clocks. */
async function takeClocks(
	sql: Sql,
	{ scope, document, epoch, fresh }: DocumentOfEpoch,
	count: number
): Promise<{ readonly client: number; readonly clock: number; readonly sequence: number }> {
	const [head] = await sql<{ sequence: string; relay_client: string; relay_clock: number }[]>`
		insert into document_head as held
			(business, document, sequence, relay_client, relay_clock, relay_epoch)
		values (${scope}, ${document}, 0, ${fresh}, ${count}, ${epoch})
		on conflict (business, document) do update set
			relay_client = case when held.relay_epoch = ${epoch}
				then held.relay_client else excluded.relay_client end,
			relay_clock = case when held.relay_epoch = ${epoch}
				then held.relay_clock + ${count} else ${count} end,
			relay_epoch = ${epoch}
		returning sequence, relay_client, relay_clock`;
	assert(head !== undefined, 'an upsert returns its row');
	const { sequence, relay_client: client, relay_clock: next } = head;
	return { client: Number(client), clock: next - count, sequence: Number(sequence) };
}

/** A Yjs client that nobody uses: 53 bits of chance, as every client has. */
export function freshClient(random: Random): number {
	const [first = 0, ...rest] = random.bytes(CLIENT_BYTES);
	return rest.reduce((client, byte) => client * 256 + byte, first % 32);
}

const CLIENT_BYTES = 7;
