import { and, asc, eq, sql } from 'drizzle-orm';
import { Hono } from 'hono';
import { account, business, member } from '#server/database/accounts.ts';
import { setting } from '#server/database/journal.ts';
import type { Executor } from '#server/database/transaction.ts';
import { eitherCaller, tooMany, type LedgerRouteParts } from './ledger-route-parts.ts';
import { problem, refusal } from './problem.ts';

/** Fewer letters would list the country. */
const LETTERS_MIN = 3;
const LETTERS_MAX = 64;
const FOUND_MAX = 5;

interface FoundAccount {
	readonly username: string;
	readonly name: string;
	readonly kind: 'store' | 'customer';
}

/**
 * CONNECT-1. `GET /search?username=`: shops find customers and customers find shops, by the whole
 * username or its beginning. CONNECT-2. The same work is done whether somebody is found or not.
 */
export function searchRoutes(parts: LedgerRouteParts): Hono {
	const routes = new Hono();
	routes.get('/search', async (c) => {
		const caller = await eitherCaller(c, parts);
		if (!caller.ok) return problem(c, refusal(caller.error));
		const typed = (c.req.query('username') ?? '').trim().replace(/^@/, '').toLowerCase();
		if (typed.length < LETTERS_MIN || typed.length > LETTERS_MAX) {
			return problem(c, refusal('queryInvalid'));
		}
		const refusedSearch =
			(await tooMany(parts.limits, 'searchesByAddress', parts.addressOf(c))) ??
			(await tooMany(parts.limits, 'searchesByCaller', caller.value.key));
		if (refusedSearch !== undefined) return problem(c, refusedSearch);
		const kind = caller.value.by === 'shop' ? 'customer' : 'store';
		return c.json({ found: await find(parts.executor, typed, kind) });
	});
	return routes;
}

/** A shop is called what its settings say; a store's account that claimed no business yet is no shop. */
async function find(
	executor: Executor,
	typed: string,
	kind: FoundAccount['kind']
): Promise<readonly FoundAccount[]> {
	const beginning = `${typed.replace(/[\\%_]/g, '\\$&')}%`;
	const rows = await executor
		.selectDistinctOn([account.username], {
			username: account.username,
			name: account.name,
			shop: business.name,
			fields: setting.fields
		})
		.from(account)
		.leftJoin(member, and(eq(member.account, account.account), eq(member.member, 1)))
		.leftJoin(business, eq(business.business, member.business))
		.leftJoin(setting, eq(setting.business, member.business))
		.where(and(eq(account.kind, kind), sql`${account.username} like ${beginning}`))
		.orderBy(asc(account.username), asc(business.claimedAt))
		.limit(FOUND_MAX);
	return rows.flatMap(({ username, name, shop, fields }): readonly FoundAccount[] => {
		if (kind === 'customer') return [{ username, name, kind }];
		return shop === null ? [] : [{ username, name: nameIn(fields) ?? shop, kind }];
	});
}

function nameIn(fields: unknown): string | undefined {
	const value: unknown = typeof fields === 'string' ? JSON.parse(fields) : fields;
	if (typeof value !== 'object' || value === null || !('name' in value)) return undefined;
	return typeof value.name === 'string' ? value.name : undefined;
}
