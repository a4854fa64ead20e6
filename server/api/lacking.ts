import { Hono } from 'hono';
import type { Sql } from 'postgres';
import * as v from 'valibot';
import { parseFactId, type FactId } from '#domain/ids.ts';
import type { Limits } from '#server/auth/limits.ts';
import { factIdField, readBody } from './body.ts';
import { callersOnly, countedByDevice, type CallerEnv, type CallerParts } from './device-caller.ts';
import { bodyBytesAtMost, jsonOnly, ownOriginOnly } from './guard.ts';
import { problem, refusal } from './problem.ts';
import { bodyFirst, inTurn, type ReadParts } from './read-turns.ts';

export interface LackingParts extends CallerParts, ReadParts {
	readonly sql: Sql;
	readonly limits: Limits;
}

/** Asked for at once: a busy week of one device. */
const LACKING_MAX = 10_000;
const LACKING_BODY_BYTES_MAX = 1024 * 1024;

/** An id and the first 8 bytes of the SHA-256 of a text, 16 hex digits. */
const nameFields = [factIdField, v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/))] as const;
const lackingSchema = v.object({
	facts: v.pipe(
		v.array(v.union([v.strictTuple(nameFields), v.strictTuple([...nameFields, ...nameFields])])),
		v.maxLength(LACKING_MAX)
	)
});
type AskedFact = v.InferOutput<typeof lackingSchema>['facts'][number];

/**
 * `POST /facts/lacking`: which of these facts the database does not have, under their own name or as
 * the same act under another. Each is `[id, digest]`, and `[id, digest, first id, first digest]` where
 * it was issued again already.
 */
export function lackingRoutes({ sql, limits, reads, ...auth }: LackingParts): Hono {
	const routes = new Hono<CallerEnv>();
	routes.use(
		'/facts/lacking',
		ownOriginOnly,
		jsonOnly,
		bodyBytesAtMost(LACKING_BODY_BYTES_MAX),
		callersOnly(auth),
		countedByDevice(limits, 'lackingByDevice'),
		...bodyFirst<CallerEnv>(reads),
		inTurn(() => reads.pieces)
	);
	routes.post('/facts/lacking', async (c) => {
		const body = await readBody(c, lackingSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		return c.json({ lacking: await readLacking(sql, c.var.caller.scope, body.value.facts) });
	});
	const api = new Hono();
	api.route('/', routes);
	return api;
}

async function readLacking(
	sql: Sql,
	scope: string,
	facts: readonly AskedFact[]
): Promise<readonly string[]> {
	if (facts.length === 0) return [];
	const asked = facts.map(([id, digest, first = id, firstDigest = digest]) => ({
		own: nameOf(id, digest),
		first: nameOf(first, firstDigest)
	}));
	const rows = await sql<{ place: string }[]>`
		select place from unnest(
			${asked.map(({ own }) => own.code)}::text[],
			${asked.map(({ own }) => own.n)}::bigint[],
			${asked.map(({ own }) => own.digest)}::bigint[],
			${asked.map(({ first }) => first.code)}::text[],
			${asked.map(({ first }) => first.n)}::bigint[],
			${asked.map(({ first }) => first.digest)}::bigint[]
		) with ordinality as asked (code, n, digest, first_code, first_n, first_digest, place)
		where not exists (
			select 1 from fact where fact.business = ${scope} and fact.code = asked.code collate "C"
				and fact.n = asked.n and fact.digest = asked.digest
		) and not exists (
			select 1 from fact where fact.business = ${scope}
				and fact.code = asked.first_code collate "C" and fact.n = asked.first_n
				and fact.digest = asked.first_digest
		) and not exists (
			select 1 from fact where fact.business = ${scope} and was_code is not null
				and was_code = asked.first_code collate "C" and was_n = asked.first_n
				and fact.first_digest = asked.first_digest
		)
		order by place`;
	return rows.flatMap(({ place }) => facts[Number(place) - 1]?.[0] ?? []);
}

interface Name {
	readonly code: string;
	readonly n: number;
	/** As the column has it: a signed number. */
	readonly digest: string;
}

function nameOf(id: FactId, digest: string): Name {
	const parsed = parseFactId(id);
	const { code, n } = parsed.ok ? parsed.value : { code: '', n: 0 };
	return { code, n, digest: String(BigInt.asIntN(64, BigInt(`0x${digest}`))) };
}
