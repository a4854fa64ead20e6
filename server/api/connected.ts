import { Hono } from 'hono';
import { connectionRoutes } from './connections.ts';
import { bodyBytesAtMost, bodyWhole, jsonOnly, ownOriginOnly } from './guard.ts';
import type { LedgerRouteParts } from './ledger-route-parts.ts';
import { ledgerRoutes } from './ledgers.ts';
import { linkRoutes } from './links.ts';
import { relayKeyRoutes } from './relay-key.ts';
import { searchRoutes } from './search.ts';
import { sheetRoutes } from './sheets.ts';

const BODY_BYTES_MAX = 4 * 1024;
const GUARDED = [
	'/connections/*',
	'/links/*',
	'/ledgers/*',
	'/people/:person/secrets',
	'/people/:person/sheets/*',
	'/search',
	'/relay-key'
];

/** Every route between a shop and its customer, behind its guards. */
export function connectedRoutes(parts: LedgerRouteParts): Hono {
	const routes = [
		searchRoutes,
		connectionRoutes,
		linkRoutes,
		ledgerRoutes,
		sheetRoutes,
		relayKeyRoutes
	];
	const guards = [ownOriginOnly, jsonOnly, bodyBytesAtMost(BODY_BYTES_MAX), bodyWhole] as const;
	const connected = new Hono();
	for (const path of GUARDED) connected.use(path, ...guards);
	for (const route of routes) connected.route('/', route(parts));
	return connected;
}
