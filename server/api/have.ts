import { Hono } from 'hono';
import { compress } from 'hono/compress';
import type { Sql } from 'postgres';
import { readBackupMark } from '#server/database/epoch.ts';
import { HAVE_RANGES_MAX } from '#server/database/journal.ts';
import { callersOnly, wholeQuery, type CallerEnv, type CallerParts } from './device-caller.ts';
import { problem, refusal } from './problem.ts';
import { inTurn, type ReadParts } from './read-turns.ts';

export interface HaveParts extends CallerParts, ReadParts {
	readonly sql: Sql;
	readonly epoch: number;
}

/** From, to (both inside), and the XOR of the facts' digests in 16 hex digits; as `have` on a socket. */
type Range = readonly [from: number, to: number, digest: string];

/** As on a socket: no range crosses a multiple of it. */
const RANGE_LENGTH = 512;
/** What a device asks for at once: a month of a busy till. */
const BACKED_UP_BLOCKS = 64;

/**
 * FEED-6. `GET /have`: which facts of the caller's business or person the database has, by the code of whoever
 * wrote them, the relay's own too. A device compares it with what it holds after a restore. FEED-11.
 * `GET /backed-up?from`: which of the caller's own from a number on are in a backup that was read back
 * whole, so that it may let them go.
 */
export function haveRoutes({ sql, epoch, reads, ...auth }: HaveParts): Hono {
	const routes = new Hono<CallerEnv>();
	routes.use(
		'/have',
		callersOnly(auth),
		inTurn(() => reads.whole),
		compress()
	);
	routes.get('/have', async (c) => {
		return c.json({ epoch, ranges: await readRanges(sql, c.var.caller.scope) });
	});
	routes.use(
		'/backed-up',
		callersOnly(auth),
		inTurn(() => reads.pieces),
		compress()
	);
	routes.get('/backed-up', async (c) => {
		const from = wholeQuery(c, 'from');
		if (from === undefined) return problem(c, refusal('queryInvalid'));
		const { scope, code } = c.var.caller;
		const upTo = (await readBackupMark(sql, scope, epoch)) ?? 0;
		return c.json({ epoch, ranges: await readBackedUp(sql, { scope, code, from, upTo }) });
	});
	const api = new Hono();
	api.route('/', routes);
	return api;
}

async function readRanges(
	sql: Sql,
	scope: string
): Promise<Readonly<Record<string, readonly Range[]>>> {
	// Whose numbers have the most gaps comes last: he keeps nobody else's from being said.
	const rows = await sql<(RangeRow & { readonly code: string })[]>`
		select code, min(n) as from, max(n) as to, bit_xor(digest) as digest
		from (
			select code, n, digest, n / ${RANGE_LENGTH} as block,
				n - row_number() over (partition by code, n / ${RANGE_LENGTH} order by n) as island
			from fact where business = ${scope}
		) as numbered
		group by code, block, island
		order by count(*) over (partition by code), code, min(n)
		limit ${HAVE_RANGES_MAX}`;
	const ranges: Record<string, Range[]> = {};
	for (const row of rows) (ranges[row.code] ??= []).push(encodeRange(row));
	return ranges;
}

interface RangeRow {
	readonly from: string;
	readonly to: string;
	readonly digest: string;
}

function encodeRange({ from, to, digest }: RangeRow): Range {
	const hex = BigInt.asUintN(64, BigInt(digest)).toString(16).padStart(16, '0');
	return [Number(from), Number(to), hex];
}

interface BackedUp {
	readonly scope: string;
	readonly code: string;
	readonly from: number;
	/** The last number of the feed that the backup holds. */
	readonly upTo: number;
}

async function readBackedUp(
	sql: Sql,
	{ scope, code, from, upTo }: BackedUp
): Promise<readonly Range[]> {
	const end = from - (from % RANGE_LENGTH) + BACKED_UP_BLOCKS * RANGE_LENGTH;
	const rows = await sql<RangeRow[]>`
		select min(n) as from, max(n) as to, bit_xor(digest) as digest
		from (
			select n, digest, n / ${RANGE_LENGTH} as block,
				n - row_number() over (partition by n / ${RANGE_LENGTH} order by n) as island
			from fact where business = ${scope} and code = ${code}
				and n >= ${from} and n < ${end} and s <= ${upTo}
		) as numbered
		group by block, island
		order by min(n)`;
	return rows.map(encodeRange);
}
