import { Hono } from 'hono';
import * as v from 'valibot';
import { parseDocumentName, type DocumentAddress } from '#documents/document-name.ts';
import type { Caller } from '#server/auth/phone-auth.ts';
import type { Tickets } from '#server/auth/tickets.ts';
import { readBody } from './body.ts';
import { callersOnly, type CallerEnv, type CallerParts } from './device-caller.ts';
import { bodyBytesAtMost, jsonOnly, ownOriginOnly } from './guard.ts';
import { problem, refusal } from './problem.ts';

export interface SyncTicketParts extends CallerParts {
	readonly tickets: Pick<Tickets, 'create'>;
	/** The relay's rule; asked again when the ticket is taken. */
	readonly mayOpen: (caller: Caller, address: DocumentAddress) => boolean;
}

const BODY_BYTES_MAX = 1_024;
const BODY = v.object({ document: v.string() });

/** FEED-5. `POST /sync/tickets`: a ticket for the socket of one document that the caller may open. */
export function syncTicketRoutes({ tickets, mayOpen, ...auth }: SyncTicketParts): Hono {
	const routes = new Hono<CallerEnv>();
	routes.use(
		'/sync/tickets',
		ownOriginOnly,
		jsonOnly,
		bodyBytesAtMost(BODY_BYTES_MAX),
		callersOnly(auth)
	);
	routes.post('/sync/tickets', async (c) => {
		const body = await readBody(c, BODY);
		if (!body.ok) return problem(c, refusal(body.error));
		const { document } = body.value;
		const address = parseDocumentName(document);
		if (!address.ok) return problem(c, refusal('documentInvalid'));
		const { caller } = c.var;
		if (!mayOpen(caller, address.value)) return problem(c, refusal('documentClosed'));
		return c.json({ ticket: await tickets.create(caller, document) });
	});
	const api = new Hono();
	api.route('/', routes);
	return api;
}
