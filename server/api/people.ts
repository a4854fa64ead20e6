import { Hono } from 'hono';
import { accountRoutes } from './accounts.ts';
import { businessRoutes } from './businesses.ts';
import { codeRoutes } from './codes.ts';
import { deviceRoutes } from './devices.ts';
import { gatewayRoutes } from './gateways.ts';
import { bodyBytesAtMost, bodyWhole, jsonOnly, ownOriginOnly } from './guard.ts';
import { heirRoutes } from './heirs.ts';
import { inviteRoutes } from './invites.ts';
import { meRoutes } from './me.ts';
import { personRoutes } from './persons.ts';
import type { PeopleParts } from './people-parts.ts';
import { removalRoutes } from './removals.ts';
import { resetRoutes } from './resets.ts';
import { secondFactorRoutes } from './second-factor.ts';
import { sessionRoutes } from './sessions.ts';

export const PEOPLE_BODY_BYTES_MAX = 16 * 1024;

/** Every route of accounts, businesses and devices, behind its guards. */
export function peopleRoutes(parts: PeopleParts): Hono {
	const routes = [
		accountRoutes,
		sessionRoutes,
		meRoutes,
		codeRoutes,
		resetRoutes,
		secondFactorRoutes,
		gatewayRoutes,
		businessRoutes,
		inviteRoutes,
		deviceRoutes,
		removalRoutes,
		heirRoutes,
		personRoutes
	];
	const guards = [
		ownOriginOnly,
		jsonOnly,
		bodyBytesAtMost(PEOPLE_BODY_BYTES_MAX),
		bodyWhole
	] as const;
	const people = new Hono();
	for (const path of GUARDED) people.use(path, ...guards);
	for (const route of routes) people.route('/', route(parts));
	return people;
}

const GUARDED = [
	'/accounts',
	'/sessions/*',
	'/codes/*',
	'/address',
	'/resets/*',
	'/second-factor/*',
	'/businesses',
	'/invites',
	'/devices/*',
	'/members/*',
	'/people',
	'/phones/*'
];
