import { and, eq, gt } from 'drizzle-orm';
import { parseBusinessId, parsePersonId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { session, ticket } from '#server/database/accounts.ts';
import { phoneTicket } from '#server/database/persons.ts';
import type { Executor } from '#server/database/transaction.ts';
import { callerOfDevice, findDevice } from './device-auth.ts';
import { findPhone, type Caller } from './phone-auth.ts';
import type { Random } from './random.ts';
import { createScopeToken, parseScopeToken, type ScopeToken } from './secret-token.ts';
import { sweepExpired } from './sweep.ts';

export interface Tickets {
	/** A ticket that opens `document` once, for this device or phone, within `TICKET_MS`. */
	create(caller: TicketHolder, document: string): Promise<string>;
	/**
	 * Takes the ticket: spent whatever comes out. One that was given to a session is worth nothing
	 * once that has ended. The caller's rights to the document are not asked.
	 */
	take(text: string, document: string): Promise<Result<Caller, 'ticketRefused'>>;
}

export type TicketHolder = Pick<Caller, 'sort' | 'scope' | 'code' | 'session'>;

export interface TicketsParts {
	readonly executor: Executor;
	readonly clock: () => number;
	readonly random: Random;
}

export const TICKET_MS = 60_000;

export function createTickets(parts: TicketsParts): Tickets {
	const { executor, clock, random } = parts;
	return {
		async create({ sort, scope, code, session: ofSession = null }, document) {
			const now = clock();
			const { text, digest } = createScopeToken(random, scope);
			const expiresAt = now + TICKET_MS;
			const row = { tokenHash: digest, code, document, session: ofSession, expiresAt };
			if (sort === 'device') {
				await sweepExpired(executor, ticket, { column: ticket.expiresAt, before: now });
				await executor.insert(ticket).values({ business: scope, ...row });
			} else {
				await sweepExpired(executor, phoneTicket, { column: phoneTicket.expiresAt, before: now });
				await executor.insert(phoneTicket).values({ person: scope, ...row });
			}
			return text;
		},
		take: (text, document) => takeTicket(parts, text, document)
	};
}

async function takeTicket(
	parts: TicketsParts,
	text: string,
	document: string
): Promise<Result<Caller, 'ticketRefused'>> {
	const parsed = parseScopeToken(text);
	if (!parsed.ok) return err('ticketRefused');
	const asked = { token: parsed.value, document };
	const caller = (await takeOfDevice(parts, asked)) ?? (await takeOfPhone(parts, asked));
	return caller?.ok === true ? ok(caller.value) : err('ticketRefused');
}

interface Asked {
	readonly token: ScopeToken;
	readonly document: string;
}

/** Undefined where no device's ticket is of this name, or it is of another document or time. */
async function takeOfDevice(
	parts: TicketsParts,
	{ token: { scope, digest }, document }: Asked
): Promise<Result<Caller, unknown> | undefined> {
	const { executor, clock } = parts;
	const business = parseBusinessId(scope);
	if (!business.ok) return undefined;
	const [taken] = await executor
		.delete(ticket)
		.where(and(eq(ticket.business, business.value), eq(ticket.tokenHash, digest)))
		.returning();
	if (taken === undefined || taken.expiresAt <= clock() || taken.document !== document)
		return undefined;
	const row = await findDevice(executor, business.value, taken.code);
	return row === undefined ? undefined : bySession(parts, callerOfDevice(row), taken.session);
}

async function takeOfPhone(
	parts: TicketsParts,
	{ token: { scope, digest }, document }: Asked
): Promise<Result<Caller, unknown> | undefined> {
	const { executor, clock } = parts;
	const person = parsePersonId(scope);
	if (!person.ok) return undefined;
	const [taken] = await executor
		.delete(phoneTicket)
		.where(and(eq(phoneTicket.person, person.value), eq(phoneTicket.tokenHash, digest)))
		.returning();
	if (taken === undefined || taken.expiresAt <= clock() || taken.document !== document)
		return undefined;
	return bySession(parts, await findPhone(executor, person.value, taken.code), taken.session);
}

/** The caller as he came by his session, if that stands; where his key proved him, as he is. */
async function bySession<C extends Caller, E>(
	{ executor, clock }: TicketsParts,
	caller: Result<C, E>,
	id: string | null
): Promise<Result<C, E> | undefined> {
	if (id === null || !caller.ok) return caller;
	const [standing] = await executor
		.select({ id: session.id })
		.from(session)
		.where(and(eq(session.id, id), gt(session.expiresAt, clock())));
	return standing === undefined ? undefined : ok({ ...caller.value, session: id });
}
