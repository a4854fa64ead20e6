import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Hono, type Context } from 'hono';
import type { Sql } from 'postgres';
import * as v from 'valibot';
import { err, ok, type Result } from '#domain/result.ts';
import type { HandedIn, HandIn } from '#server/auth/handed-in.ts';
import type { Limits } from '#server/auth/limits.ts';
import { checkEpoch } from '#server/database/went-back.ts';
import { branchField } from './body.ts';
import {
	callersOnly,
	countedByDevice,
	wholeQuery,
	type CallerEnv,
	type CallerParts
} from './device-caller.ts';
import { bodyBytesAtMost, jsonOnly, ownOriginOnly } from './guard.ts';
import { problem, refusal } from './problem.ts';
import { bodyFirst, inTurn, type ReadParts } from './read-turns.ts';

export interface CarriedParts extends CallerParts, HandIn, ReadParts {
	readonly sql: Sql;
	/** In which this server works. */
	readonly epoch: number;
	/** Whether a restore began the current epoch: else nothing was forgotten, and nothing is taken. */
	readonly isRestored: boolean;
	readonly limits: Limits;
}

export const CARRIED_FACTS_MAX = 2_000;
/** Of a request, packed or not. */
const CARRIED_BYTES_MAX = 10 * 1024 * 1024;
const LISTED_MAX = 500;

const BODY = v.object({
	facts: v.pipe(
		v.array(v.tuple([v.nullable(branchField), v.string()])),
		v.maxLength(CARRIED_FACTS_MAX)
	)
});

/**
 * FEED-7. `POST /carried`: facts of whomever that the caller holds and a restored database forgot. FEED-8.
 * `GET /carried?after`: who handed in how much of whose, for the owner.
 */
export function carriedRoutes({
	sql,
	epoch,
	isRestored,
	handIn,
	limits,
	reads,
	...auth
}: CarriedParts): Hono {
	const routes = new Hono<CallerEnv>();
	routes.use(
		'/carried',
		ownOriginOnly,
		jsonOnly,
		bodyBytesAtMost(CARRIED_BYTES_MAX),
		callersOnly(auth)
	);
	const turn = inTurn<CallerEnv>(() => reads.pieces);
	const counted = countedByDevice(limits, 'carriedByDevice');
	routes.on('POST', '/carried', counted, ...bodyFirst<CallerEnv>(reads), turn);
	routes.post('/carried', async (c) => {
		const body = await readFacts(c);
		if (!body.ok) return problem(c, refusal(body.error));
		const facts = body.value.map(([branch, text]) => ({ branch, text }));
		await checkCurrent(sql, epoch);
		if (!isRestored) {
			return c.json({ handed: facts.map(() => ['', 'refused', 'nothingForgotten']) });
		}
		const handed = await handIn(c.var.caller, facts, 'carried');
		return c.json({ handed: handed.map(encodeHanded) });
	});
	routes.get('/carried', turn, async (c) => {
		const after = c.req.query('after') === undefined ? 0 : wholeQuery(c, 'after');
		if (after === undefined) return problem(c, refusal('queryInvalid'));
		return c.json({ carried: await readCarried(sql, c.var.caller.scope, after) });
	});
	const api = new Hono();
	api.route('/', routes);
	return api;
}

/**
 * RELAY-63. A server that has not found yet that a restore began another epoch knows neither that
 * something was forgotten nor what may be told of the epoch that ended: its word would be the last.
 */
async function checkCurrent(sql: Sql, epoch: number): Promise<void> {
	const [row] = await sql<{ epoch: number | null }[]>`
		select max(epoch) as epoch from database_epoch`;
	checkEpoch(row?.epoch, epoch);
}

type Facts = v.InferOutput<typeof BODY>['facts'];

async function readFacts(c: Context): Promise<Result<Facts, 'bodyInvalid' | 'bodyTooLarge'>> {
	const bytes = Buffer.from(await c.req.arrayBuffer());
	const text = await unpack(c.req.header('content-encoding'), bytes);
	if (!text.ok) return text;
	try {
		const parsed = v.safeParse(BODY, JSON.parse(text.value), { abortEarly: true });
		return parsed.success ? ok(parsed.output.facts) : err('bodyInvalid');
	} catch {
		return err('bodyInvalid');
	}
}

async function unpack(
	packing: string | undefined,
	bytes: Buffer
): Promise<Result<string, 'bodyInvalid' | 'bodyTooLarge'>> {
	if (packing === undefined || packing === 'identity') return ok(bytes.toString());
	if (packing !== 'gzip') return err('bodyInvalid');
	try {
		// What unpacks to more than may be sent unpacked is refused before it fills the memory.
		const plain = await promisify(gunzip)(bytes, { maxOutputLength: CARRIED_BYTES_MAX });
		return ok(plain.toString());
	} catch (fault) {
		return err(fault instanceof RangeError ? 'bodyTooLarge' : 'bodyInvalid');
	}
}

function encodeHanded({ id, became, reason }: HandedIn): readonly string[] {
	return reason === undefined ? [id, became] : [id, became, reason];
}

interface CarriedRow {
	/** The device that handed them in, and whose they were. */
	readonly by: string;
	readonly of: string;
	readonly count: number;
	/** The last of them in the feed. */
	readonly s: number;
}

/** The latest first. */
async function readCarried(sql: Sql, scope: string, after: number): Promise<readonly CarriedRow[]> {
	const rows = await sql<{ by: string; of: string; count: string; s: string }[]>`
		select carried_by as by, code as of, count(*) as count, max(s) as s from fact
		where business = ${scope} and carried_by is not null and s > ${after}
		group by carried_by, code
		order by max(s) desc limit ${LISTED_MAX}`;
	return rows.map(({ by, of, count, s }) => ({ by, of, count: Number(count), s: Number(s) }));
}
