import { Hono } from 'hono';
import { compress } from 'hono/compress';
import type { Sql } from 'postgres';
import type { DeviceAuth, DeviceCaller } from '#server/auth/device-auth.ts';
import { parseDay } from '#domain/calendar.ts';
import { parseFactId } from '#domain/ids.ts';
import { devicesOnly, type DeviceEnv } from './device-caller.ts';
import { problem, refusal } from './problem.ts';
import { inTurn, type ReadParts } from './read-turns.ts';

export interface ReceiptParts extends ReadParts {
	readonly sql: Sql;
	readonly deviceAuth: Pick<DeviceAuth, 'authenticateDevice'>;
}

/** Of a day, the latest. */
const DAY_RECEIPTS_MAX = 1_000;
/** One sale has at most so many pieces to return; more returns than that are no honest shop's. */
const RETURNS_MAX = 20_000;
/** Of the texts of one answer: of long ones, as no till writes them, as many as fit. */
const ANSWER_BYTES = 4 * 1024 * 1024;

/** A device's letters and six digits or more. */
const NUMBER = /^[A-Z]{1,8}-[0-9]{6,16}$/;

/** The branch in whose journal a fact stands, and its text. */
type FactText = readonly [branch: string | null, text: string];

/**
 * FEED-12. `GET /receipts?name=`: the sale or return of the caller's business that bears the number or is the
 * fact, with every return of it; none where there is none. `GET /receipts?branch=&on=`: a day of
 * the caller's branch. What a device let go of, or never held, it looks up here.
 */
export function receiptRoutes({ sql, deviceAuth, reads }: ReceiptParts): Hono {
	const routes = new Hono<DeviceEnv>();
	routes.use(
		'/receipts',
		devicesOnly(deviceAuth),
		inTurn(() => reads.pieces),
		compress()
	);
	routes.get('/receipts', async (c) => {
		const { caller } = c.var;
		const { name, branch, on } = c.req.query();
		if (name !== undefined) {
			const asked = parseName(name);
			if (asked === undefined) return problem(c, refusal('queryInvalid'));
			return c.json({ facts: await readNamed(sql, caller, asked) });
		}
		const day = parseDay(on ?? '');
		if (!day.ok) return problem(c, refusal('queryInvalid'));
		if (branch !== caller.branch) return problem(c, refusal('branchUnknown'));
		return c.json({ facts: await readDay(sql, caller, day.value) });
	});
	const api = new Hono();
	api.route('/', routes);
	return api;
}

interface Name {
	/** A number; or else an id. */
	readonly receipt: string | null;
	readonly code: string | null;
	readonly n: number | null;
}

/** A number has leading zeros, and an id has none; of a till that sold a million, one text may be both. */
function parseName(name: string): Name | undefined {
	const id = parseFactId(name);
	const receipt = NUMBER.test(name) ? name : null;
	if (!id.ok && receipt === null) return undefined;
	return { receipt, code: id.ok ? id.value.code : null, n: id.ok ? id.value.n : null };
}

type Asking = Pick<DeviceCaller, 'business' | 'branch' | 'sight'>;

/** The sale or return first, then what came back of it. Two tills may have used one number: both. */
async function readNamed(
	sql: Sql,
	{ business, sight }: Asking,
	{ receipt, code, n }: Name
): Promise<readonly FactText[]> {
	const rows = await sql<Row[]>`
		with named as (
			select code, n from sale where business = ${business}
				and (receipt = ${receipt} or (code = ${code} and n = ${n}::bigint))
			union all
			select code, n from sale_return where business = ${business}
				and (receipt = ${receipt} or (code = ${code} and n = ${n}::bigint))
		), wanted as (
			select code, n, 0 as place from named
			union all
			select back.code, back.n, 1 as place from named
			join sale_return as back on back.business = ${business}
				and back.sale_code = named.code and back.sale_n = named.n
		)
		select branch, text, document from (
			select fact.branch, fact.text, fact.document, place, fact.s,
				sum(octet_length(fact.text)) over (order by place, fact.s) as held
			from wanted
			join fact on fact.business = ${business} and fact.code = wanted.code and fact.n = wanted.n
			order by place, fact.s limit ${RETURNS_MAX}
		) as found
		where held <= ${ANSWER_BYTES}
		order by place, s`;
	return textsOf(rows, sight);
}

/** Newest first. */
async function readDay(
	sql: Sql,
	{ business, branch, sight }: Asking,
	on: string
): Promise<readonly FactText[]> {
	const rows = await sql<Row[]>`
		with wanted as (
			select code, n from sale
				where business = ${business} and branch = ${branch} and on_day = ${on}::date
			union all
			select code, n from sale_return
				where business = ${business} and branch = ${branch} and on_day = ${on}::date
		)
		select branch, text, document from (
			select fact.branch, fact.text, fact.document, row_number() over latest as place,
				sum(octet_length(fact.text)) over latest as held
			from wanted
			join fact on fact.business = ${business} and fact.code = wanted.code and fact.n = wanted.n
			window latest as (order by fact.wall desc, fact.counter desc, fact.code desc, fact.n desc)
			order by place limit ${DAY_RECEIPTS_MAX}
		) as found
		where held <= ${ANSWER_BYTES}
		order by place`;
	return textsOf(rows, sight);
}

interface Row {
	readonly branch: string | null;
	readonly text: string;
	readonly document: string | null;
}

/** What stands in the office's journals is for devices of the office. */
function textsOf(rows: readonly Row[], sight: Asking['sight']): readonly FactText[] {
	return rows
		.filter(({ document }) => sight === 'office' || document?.startsWith(OFFICE) !== true)
		.map(({ branch, text }) => [branch, text]);
}

const OFFICE = 'o/';
