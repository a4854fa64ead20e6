import { Hono } from 'hono';
import { compress } from 'hono/compress';
import type { Sql } from 'postgres';
import { callersOnly, type CallerEnv, type CallerParts } from './device-caller.ts';

export interface HaveParts extends CallerParts {
	readonly sql: Sql;
	readonly epoch: number;
}

/** From, to (both inside), and the XOR of the facts' digests in 16 hex digits; as `have` on a socket. */
type Range = readonly [from: number, to: number, digest: string];

/** As on a socket: no range crosses a multiple of it. */
const RANGE_LENGTH = 512;

/**
 * FEED-6. `GET /have`: which facts of the caller's business or person the database has, by the code of whoever
 * wrote them, the relay's own too. A device compares it with what it holds after a restore.
 */
export function haveRoutes({ sql, epoch, ...auth }: HaveParts): Hono {
	const routes = new Hono<CallerEnv>();
	routes.use('/have', callersOnly(auth), compress());
	routes.get('/have', async (c) => {
		return c.json({ epoch, ranges: await readRanges(sql, c.var.caller.scope) });
	});
	const api = new Hono();
	api.route('/', routes);
	return api;
}

async function readRanges(
	sql: Sql,
	scope: string
): Promise<Readonly<Record<string, readonly Range[]>>> {
	const rows = await sql<{ code: string; from: string; to: string; digest: string }[]>`
		select code, min(n) as from, max(n) as to, bit_xor(digest) as digest
		from (
			select code, n, digest, n / ${RANGE_LENGTH} as block,
				n - row_number() over (partition by code, n / ${RANGE_LENGTH} order by n) as island
			from fact where business = ${scope}
		) as numbered
		group by code, block, island
		order by code, min(n)`;
	const ranges: Record<string, Range[]> = {};
	for (const { code, from, to, digest } of rows) {
		const hex = BigInt.asUintN(64, BigInt(digest)).toString(16).padStart(16, '0');
		(ranges[code] ??= []).push([Number(from), Number(to), hex]);
	}
	return ranges;
}
