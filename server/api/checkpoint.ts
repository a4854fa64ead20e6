import { Hono } from 'hono';
import { compress } from 'hono/compress';
import type { Sql } from 'postgres';
import type { DeviceAuth } from '#server/auth/device-auth.ts';
import {
	isCheckpointPart,
	isPlaceOf,
	readCheckpointPage
} from '#server/projections/checkpoint-page.ts';
import { isSmall, readCheckpoint } from '#server/projections/checkpoint.ts';
import { createFactRanges } from '#server/projections/fact-ranges.ts';
import { devicesOnly, type DeviceEnv } from './device-caller.ts';
import { problem, refusal } from './problem.ts';
import { inTurn, type ReadParts } from './read-turns.ts';

export interface CheckpointParts extends ReadParts {
	readonly sql: Sql;
	readonly epoch: number;
	readonly deviceAuth: Pick<DeviceAuth, 'authenticateDevice'>;
}

/**
 * FEED-4. `GET /checkpoint?branch=`: all facts up to one number of the feed, folded, for the caller's
 * branch. With `part` and `after` a piece of it, each of its own moment: `next` says how to go on. All of
 * it at once is for a business that wrote little.
 */
export function checkpointRoutes({ sql, epoch, deviceAuth, reads }: CheckpointParts): Hono {
	const readRanges = createFactRanges();
	const routes = new Hono<DeviceEnv>();
	routes.use(
		'/checkpoint',
		devicesOnly(deviceAuth),
		inTurn((c) => (c.req.query('part') === undefined ? reads.whole : reads.pieces)),
		compress()
	);
	routes.get('/checkpoint', async (c) => {
		const { business, branch } = c.var.caller;
		const asked = c.req.query('branch') ?? branch;
		if (asked !== branch) return problem(c, refusal('branchUnknown'));
		const { part, after = '' } = c.req.query();
		if (part === undefined && (await isSmall(sql, business)))
			return c.json(await readCheckpoint(sql, business, epoch));
		if (part === undefined || !isCheckpointPart(part) || !isPlaceOf(part, after))
			return problem(c, refusal('queryInvalid'));
		const parts = { sql, business, epoch, readRanges };
		return c.json(await readCheckpointPage(parts, { part, after }));
	});
	const api = new Hono();
	api.route('/', routes);
	return api;
}
