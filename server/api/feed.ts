import { Hono } from 'hono';
import { compress } from 'hono/compress';
import type { Sql } from 'postgres';
import { readEpochEnds } from '#server/database/epoch.ts';
import { callersOnly, wholeQuery, type CallerEnv, type CallerParts } from './device-caller.ts';
import { problem, refusal } from './problem.ts';
import { inTurn, type ReadParts } from './read-turns.ts';

export interface FeedParts extends CallerParts, ReadParts {
	readonly sql: Sql;
	readonly epoch: number;
}

export const FEED_PAGE_LENGTH = 1_000;
/** Of the texts of one page, before compression: of more than any one fact may have. */
const FEED_PAGE_BYTES = 1024 * 1024;

/** A fact's place in the feed, the branch in whose journal it stands, and its text. */
type FeedRow = readonly [s: number, branch: string | null, text: string];

/**
 * FEED-1. `GET /feed?epoch&after`: what follows a place in the feed of the caller's business or person, in order, and the
 * feed's last number. FEED-3. `GET /history?before`: the same backwards, for idle time.
 */
export function feedRoutes({ sql, epoch, reads, ...auth }: FeedParts): Hono {
	const routes = new Hono<CallerEnv>();
	const turn = inTurn<CallerEnv>(() => reads.pieces);
	routes.use('/feed', callersOnly(auth), turn, compress());
	routes.use('/history', callersOnly(auth), turn, compress());
	routes.get('/feed', async (c) => {
		const after = wholeQuery(c, 'after');
		const known = wholeQuery(c, 'epoch');
		if (after === undefined || known === undefined) return problem(c, refusal('queryInvalid'));
		const { scope } = c.var.caller;
		if (known !== epoch) {
			// FEED-2. Of an epoch that this database never had, nothing is promised to have survived.
			const ends = await readEpochEnds(sql, scope, epoch);
			const survivedTo = ends.find(([ended]) => ended === known)?.[1] ?? 0;
			return problem(c, refusal('epochEnded', { epoch, survivedTo }));
		}
		// The last number first: a page read after it never ends before it.
		const last = await readLast(sql, scope);
		return c.json({ epoch, rows: await readAfter(sql, scope, after), last });
	});
	routes.get('/history', async (c) => {
		const before = wholeQuery(c, 'before');
		if (before === undefined) return problem(c, refusal('queryInvalid'));
		const { scope } = c.var.caller;
		const last = await readLast(sql, scope);
		return c.json({ epoch, rows: await readBefore(sql, scope, before), last });
	});
	const api = new Hono();
	api.route('/', routes);
	return api;
}

async function readLast(sql: Sql, scope: string): Promise<number> {
	const [head] = await sql<{ s: string }[]>`select s from feed_head where business = ${scope}`;
	return Number(head?.s ?? 0);
}

interface Row {
	readonly s: string;
	readonly branch: string | null;
	readonly text: string;
}

async function readAfter(sql: Sql, scope: string, after: number): Promise<readonly FeedRow[]> {
	const rows = await sql<Row[]>`
		select s, branch, text from (
			select s, branch, text, sum(octet_length(text)) over (order by s) as bytes
			from fact where business = ${scope} and s > ${after}
			order by s limit ${FEED_PAGE_LENGTH}
		) as page
		where bytes <= ${FEED_PAGE_BYTES}
		order by s`;
	return rows.map(asFeedRow);
}

async function readBefore(sql: Sql, scope: string, before: number): Promise<readonly FeedRow[]> {
	const rows = await sql<Row[]>`
		select s, branch, text from (
			select s, branch, text, sum(octet_length(text)) over (order by s desc) as bytes
			from fact where business = ${scope} and s < ${before}
			order by s desc limit ${FEED_PAGE_LENGTH}
		) as page
		where bytes <= ${FEED_PAGE_BYTES}
		order by s desc`;
	return rows.map(asFeedRow);
}

function asFeedRow({ s, branch, text }: Row): FeedRow {
	return [Number(s), branch, text];
}
