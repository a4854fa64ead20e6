import { and, eq, lt, lte, sql } from 'drizzle-orm';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import type { Sql } from 'postgres';
import * as v from 'valibot';
import { decodeBase64url, equalBytes, utf8 } from '#domain/bytes.ts';
import { DIGEST_BYTES, lateFactsStatement } from '#domain/claim-statement.ts';
import { parseFactId, type BusinessId, type DeviceCode, type FactId } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { findDevice, takeNonce, type DeviceCaller } from '#server/auth/device-auth.ts';
import type { HandedIn, HandIn } from '#server/auth/handed-in.ts';
import { sha256 } from '#server/auth/secret-token.ts';
import { device } from '#server/database/accounts.ts';
import { lateFact } from '#server/database/late-facts.ts';
import { commitUnlessRefused, rawSql } from '#server/database/transaction.ts';
import { holdBody } from './answers.ts';
import { businessField, codeField, factIdField, readBody, signatureField } from './body.ts';
import { bodyBytesAtMost, jsonOnly, ownOriginOnly } from './guard.ts';
import { ownerCalling } from './invites.ts';
import { keepOwn, type Kept, type LeftByDevice } from './keep-late.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal } from './problem.ts';
import { createReadTurns, inTurn, type ReadParts, type ReadTurns } from './read-turns.ts';

export interface LateFactParts
	extends
		Pick<
			PeopleParts,
			'executor' | 'clock' | 'crypto' | 'limits' | 'addressOf' | 'deviceAuth' | 'sessions'
		>,
		HandIn,
		ReadParts {}

/** Whose late facts an owner lists. */
interface OwnerEnv {
	Variables: { caller: { readonly scope: BusinessId } };
}

/** After its removal, and again after its owner's no. */
export const LATE_MS = 90 * 86_400_000;
const LATE_FACTS_MAX = 2_000;
const LISTED_MAX = 500;
/** Of the texts of one list: the next come once these are decided on. */
const LISTED_BYTES_MAX = 2 * 1024 * 1024;
/** A lot of our own devices is 256 k letters, of three bytes at the most. */
const LOT_BYTES_MAX = 2 * 1024 * 1024;
const DECISION_BYTES_MAX = 64 * 1024;
/** Lots that are read at once: a business waits for its own alone. */
const LOT_TURNS = { all: Infinity, scope: 1, waiting: 20 };

/** Who leaves a lot, in the header: it is proved before a byte of the lot is read. */
const proofSchema = v.object({
	business: businessField,
	code: codeField,
	nonce: v.string(),
	/** SHA-256 of the lot. */
	digest: v.string(),
	/** Of the removed device's key, over `lateFactsStatement`. */
	signature: signatureField
});
const lateSchema = v.object({
	facts: v.pipe(v.array(v.string()), v.maxLength(LATE_FACTS_MAX))
});
const decideSchema = v.object({
	business: businessField,
	ids: v.pipe(v.array(factIdField), v.maxLength(LISTED_MAX))
});
type LateProof = v.InferOutput<typeof proofSchema>;

/**
 * API-43, API-52. `POST /late-facts`: what a removed device wrote and had not sent, signed by its old key, with
 * `authorization: Bearer {business}.{code}.{nonce}.{digest}.{signature}`, base64url. API-44.
 * `GET /late-facts?business&state`: the owner's inbox; `POST /late-facts/taken`, `/declined` and
 * `/waiting`: what he does with it.
 */
export function lateFactRoutes(parts: LateFactParts): Hono {
	const routes = new Hono<OwnerEnv>();
	const turns = createReadTurns(LOT_TURNS);
	routes.use('/late-facts', ownOriginOnly, jsonOnly, bodyBytesAtMost(LOT_BYTES_MAX));
	routes.use('/late-facts/:act', ownOriginOnly, jsonOnly, bodyBytesAtMost(DECISION_BYTES_MAX));
	routes.post('/late-facts', async (c) => {
		const counted = await parts.limits.count('joinsByAddress', parts.addressOf(c));
		if (!counted.ok) return problem(c, refusal('tooManyAttempts', { ...counted.error }));
		const proof = readProof(c);
		if (!proof.ok) return problem(c, refusal(proof.error));
		const proved = await proveRemoved(parts, proof.value);
		if (!proved.ok) return problem(c, refusal(proved.error));
		const kept = await keepLate(c, { ...parts, turns, proof: proof.value });
		return kept.ok ? c.json(kept.value) : problem(c, refusal(kept.error));
	});
	const turn = inTurn<OwnerEnv>(() => parts.reads.pieces);
	routes.get('/late-facts', ownersOnly(parts), turn, (c) => list(c, parts));
	routes.post('/late-facts/taken', (c) => decide(c, parts, takeIn));
	routes.post('/late-facts/declined', (c) => decide(c, parts, decline));
	routes.post('/late-facts/waiting', (c) => decide(c, parts, undo));
	const api = new Hono();
	api.route('/', routes);
	return api;
}

function readProof(c: Context): Result<LateProof, 'deviceRefused'> {
	const [, token = ''] = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '') ?? [];
	const [business, code, nonce, digest, signature] = token.split('.');
	const read = v.safeParse(proofSchema, { business, code, nonce, digest, signature });
	return read.success ? ok(read.output) : err('deviceRefused');
}

interface Leaving extends LateFactParts {
	readonly turns: ReadTurns;
	readonly proof: LateProof;
}

/** Who sends slowly holds up his own business, and nobody else. */
async function keepLate(c: Context, parts: Leaving): Promise<Result<Kept, ProblemCode>> {
	const { business, code, digest } = parts.proof;
	const end = await parts.turns.take(business);
	if (end === undefined) return err('tooManyAttempts');
	try {
		holdBody(c, business, parts.reads.sent);
		const body = await readBody(c, lateSchema);
		if (!body.ok) return body;
		const { facts } = body.value;
		const signed = decodeBase64url(digest);
		if (!signed.ok || !equalBytes(signed.value, sha256(utf8(facts.join('\n')))))
			return err('deviceRefused');
		return await keepInTurn(parts, { business, code, texts: facts, receivedAt: parts.clock() });
	} finally {
		end();
	}
}

async function keepInTurn(
	{ executor, reads }: LateFactParts,
	left: LeftByDevice
): Promise<Result<Kept, ProblemCode>> {
	const end = await reads.pieces.take(left.business);
	if (end === undefined) return err('tooManyAttempts');
	try {
		return await commitUnlessRefused(executor, (transaction) => keepOwn(transaction, left));
	} finally {
		end();
	}
}

/** Its key opens nothing any more but this, and this for ninety days. */
async function proveRemoved(
	{ executor, clock, crypto, limits }: LateFactParts,
	{ business, code, nonce, digest, signature }: LateProof
): Promise<Result<undefined, ProblemCode>> {
	const bytes = await takeNonce(executor, nonce, clock());
	if (bytes === undefined) return err('nonceSpent');
	const row = await findDevice(executor, business, code);
	if (row === undefined) return err('deviceRefused');
	const lot = decodeBase64url(digest);
	if (!lot.ok || lot.value.length !== DIGEST_BYTES) return err('deviceRefused');
	const statement = lateFactsStatement(bytes, business, lot.value);
	if (!(await crypto.verify(row.device.publicKey, statement, signature)))
		return err('deviceRefused');
	const { removedAt } = row.device;
	// Who is let in sends as always.
	if (removedAt === null) return err('deviceRefused');
	if (clock() - removedAt > LATE_MS) return err('deviceRemoved');
	const counted = await limits.count('lateFactsByDevice', `${business}/${code}`);
	return counted.ok ? ok(undefined) : err('tooManyAttempts');
}

const STATES = ['waiting', 'taken', 'declined'] as const;

function ownersOnly(parts: LateFactParts): MiddlewareHandler<OwnerEnv> {
	return async (c, next) => {
		const business = v.safeParse(businessField, c.req.query('business'));
		if (!business.success) return problem(c, refusal('queryInvalid'));
		const owner = await ownerCalling(c, parts, business.output);
		if (!owner.ok) return problem(c, refusal(owner.error));
		c.set('caller', { scope: business.output });
		return next();
	};
}

async function list(c: Context<OwnerEnv>, parts: LateFactParts): Promise<Response> {
	const { scope: business } = c.var.caller;
	const state = v.safeParse(v.picklist(STATES), c.req.query('state') ?? 'waiting');
	if (!state.success) return problem(c, refusal('queryInvalid'));
	const { executor } = parts;
	await forgetOld(parts, business);
	const inState = and(eq(lateFact.business, business), eq(lateFact.state, state.output));
	const page = executor
		.select({
			code: lateFact.code,
			n: lateFact.n,
			text: lateFact.text,
			receivedAt: lateFact.receivedAt,
			reason: lateFact.reason,
			bytes: sql<string>`sum(octet_length(${lateFact.text}))
				over (order by ${lateFact.code}, ${lateFact.n})`.as('bytes')
		})
		.from(lateFact)
		.where(inState)
		.orderBy(lateFact.code, lateFact.n)
		.limit(LISTED_MAX)
		.as('page');
	const rows = await executor
		.select()
		.from(page)
		.where(lte(page.bytes, String(LISTED_BYTES_MAX)))
		.orderBy(page.code, page.n);
	const [count] = await executor
		.select({ count: sql<string>`count(*)` })
		.from(lateFact)
		.where(inState);
	return c.json({
		count: Number(count?.count ?? 0),
		facts: rows.map(({ text, receivedAt, reason }) => ({ text, receivedAt, reason: reason ?? '' }))
	});
}

/** What the owner said no to, or took in, is kept as long as it may come. */
async function forgetOld({ executor, clock }: LateFactParts, business: BusinessId): Promise<void> {
	await executor
		.delete(lateFact)
		.where(and(eq(lateFact.business, business), lt(lateFact.decidedAt, clock() - LATE_MS)));
}

interface Deciding {
	readonly business: BusinessId;
	readonly ids: readonly FactId[];
	readonly member: number;
}

type Act = (parts: LateFactParts, deciding: Deciding) => Promise<readonly HandedIn[]>;

/** API-54. It has its turn as the list has. */
async function decide(c: Context, parts: LateFactParts, act: Act): Promise<Response> {
	const body = await readBody(c, decideSchema);
	if (!body.ok) return problem(c, refusal(body.error));
	const { business } = body.value;
	const owner = await ownerCalling(c, parts, business);
	if (!owner.ok) return problem(c, refusal(owner.error));
	const end = await parts.reads.pieces.take(business);
	if (end === undefined) return problem(c, refusal('tooManyAttempts'));
	try {
		const handed = await act(parts, { ...body.value, member: owner.value });
		return c.json({ handed: handed.map(({ id, became, reason }) => [id, became, reason ?? '']) });
	} finally {
		end();
	}
}

/** API-44. They count from now on as they were written, under the name of the device that wrote them. */
async function takeIn(parts: LateFactParts, deciding: Deciding): Promise<readonly HandedIn[]> {
	const waiting = await readWaiting(parts, deciding);
	if (waiting.length === 0) return [];
	const facts = waiting.map(({ text }) => ({ branch: null, text }));
	const caller = await ownerAsCaller(parts, deciding);
	const handed = await parts.handIn(caller, facts, 'late');
	for (const [place, answer] of handed.entries()) {
		const row = waiting[place];
		if (row !== undefined) await note(parts, { ...row, business: deciding.business }, answer);
	}
	return handed;
}

/** There already is what was kept or known, and what another name has. */
async function note(
	{ executor, clock }: LateFactParts,
	{ business, code, n }: WaitingRow & Pick<Deciding, 'business'>,
	{ became, reason }: HandedIn
): Promise<void> {
	const isIn = became === 'kept' || became === 'known' || reason === 'again';
	await executor
		.update(lateFact)
		.set(
			isIn
				? { state: 'taken', decidedAt: clock(), reason: null }
				: { reason: became === 'conflict' ? 'conflict' : (reason ?? 'refused') }
		)
		.where(and(eq(lateFact.business, business), eq(lateFact.code, code), eq(lateFact.n, n)));
}

async function decline(parts: LateFactParts, deciding: Deciding): Promise<readonly HandedIn[]> {
	await move(parts, deciding, { from: 'waiting', to: 'declined', decidedAt: parts.clock() });
	return [];
}

async function undo(parts: LateFactParts, deciding: Deciding): Promise<readonly HandedIn[]> {
	await move(parts, deciding, { from: 'declined', to: 'waiting', decidedAt: null });
	return [];
}

type State = (typeof STATES)[number];

interface Move {
	readonly from: State;
	readonly to: State;
	readonly decidedAt: number | null;
}

async function move(
	{ executor }: LateFactParts,
	{ business, ids }: Deciding,
	{ from, to, decidedAt }: Move
): Promise<void> {
	const sql = rawSql(executor);
	await sql`
		update late_fact set state = ${to}, decided_at = ${decidedAt}::bigint
		where business = ${business} and state = ${from} and ${isAmong(sql, ids)}`;
}

interface WaitingRow {
	readonly code: string;
	readonly n: number;
	readonly text: string;
}

/**
 * In the order in which they were written, so that goods come before what was sold of them. API-54. No more
 * of them than one list has: whoever took more in finds the rest there.
 */
async function readWaiting(
	{ executor }: LateFactParts,
	{ business, ids }: Deciding
): Promise<readonly WaitingRow[]> {
	const sql = rawSql(executor);
	const rows = await sql<{ code: string; n: string; text: string }[]>`
		select code, n, text from (
			select code, n, text, sum(octet_length(text)) over (order by code, n) as bytes
			from late_fact
			where business = ${business} and state = 'waiting' and ${isAmong(sql, ids)}
		) as asked
		where bytes <= ${LISTED_BYTES_MAX}
		order by code, n`;
	return rows.map((row) => ({ ...row, n: Number(row.n) }));
}

function isAmong(sql: Sql, ids: readonly FactId[]): ReturnType<Sql> {
	const names = ids.flatMap((id) => {
		const parsed = parseFactId(id);
		return parsed.ok ? [parsed.value] : [];
	});
	return sql`(code, n) in (
		select * from unnest(
			${names.map(({ code }) => code)}::text[],
			${names.map(({ n }) => n)}::bigint[]
		)
	)`;
}

/** Who hands in is the owner; that he does it in a browser that is no device changes nothing. */
async function ownerAsCaller(
	{ executor }: LateFactParts,
	{ business, member }: Deciding
): Promise<DeviceCaller> {
	const rows = await executor.select().from(device).where(eq(device.business, business));
	const own = rows.find((row) => row.removedAt === null && row.member === member) ?? rows[0];
	const isOpen = own?.removedAt === null;
	return {
		sort: 'device',
		scope: business,
		business,
		branch: (own?.branch ?? '') as DeviceCaller['branch'],
		// Of a business whose devices are all removed the owner hands in as none of them.
		code: (isOpen ? own.code : '') as DeviceCode,
		member,
		role: 'owner',
		sight: 'office',
		publicKey: new Uint8Array()
	};
}
