import { Hono, type Context } from 'hono';
import { addressGroup } from '#server/auth/limits.ts';
import { accountRoutes } from './accounts.ts';
import { businessRoutes } from './businesses.ts';
import { deviceRoutes } from './devices.ts';
import { bodyBytesAtMost, jsonOnly, ownOriginOnly } from './guard.ts';
import { inviteRoutes } from './invites.ts';
import { meRoutes } from './me.ts';
import type { PeopleParts } from './people-parts.ts';
import { sessionRoutes } from './sessions.ts';

export const PEOPLE_BODY_BYTES_MAX = 16 * 1024;

/** Every route of accounts, businesses and devices, behind its guards. */
export function peopleRoutes(given: PeopleParts): Hono {
	const addressOf = (c: Context): string => addressGroup(given.addressOf(c));
	const parts = { ...given, addressOf };
	const routes = [
		accountRoutes,
		sessionRoutes,
		meRoutes,
		businessRoutes,
		inviteRoutes,
		deviceRoutes
	];
	const guards = [ownOriginOnly, jsonOnly, bodyBytesAtMost(PEOPLE_BODY_BYTES_MAX)] as const;
	const people = new Hono();
	for (const path of GUARDED) people.use(path, ...guards);
	for (const route of routes) people.route('/', route(parts));
	return people;
}

const GUARDED = ['/accounts', '/sessions/*', '/businesses', '/invites', '/devices/*'];
