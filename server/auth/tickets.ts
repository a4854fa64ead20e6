import { and, eq } from 'drizzle-orm';
import { parseBusinessId, parsePersonId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { ticket } from '#server/database/accounts.ts';
import { phoneTicket } from '#server/database/persons.ts';
import type { Executor } from '#server/database/transaction.ts';
import { callerOfDevice, findDevice } from './device-auth.ts';
import { findPhone, type Caller } from './phone-auth.ts';
import type { Random } from './random.ts';
import { createScopeToken, parseScopeToken, type ScopeToken } from './secret-token.ts';
import { sweepExpired } from './sweep.ts';

export interface Tickets {
	/** A ticket that opens `document` once, for this device or phone, within `TICKET_MS`. */
	create(caller: Pick<Caller, 'sort' | 'scope' | 'code'>, document: string): Promise<string>;
	/** Takes the ticket: spent whatever comes out. The caller's rights to the document are not asked. */
	take(text: string, document: string): Promise<Result<Caller, 'ticketRefused'>>;
}

export interface TicketsParts {
	readonly executor: Executor;
	readonly clock: () => number;
	readonly random: Random;
}

export const TICKET_MS = 60_000;

export function createTickets(parts: TicketsParts): Tickets {
	const { executor, clock, random } = parts;
	return {
		async create({ sort, scope, code }, document) {
			const now = clock();
			const { text, digest } = createScopeToken(random, scope);
			const row = { tokenHash: digest, code, document, expiresAt: now + TICKET_MS };
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
	{ executor, clock }: TicketsParts,
	{ token: { scope, digest }, document }: Asked
): Promise<Result<Caller, unknown> | undefined> {
	const business = parseBusinessId(scope);
	if (!business.ok) return undefined;
	const [taken] = await executor
		.delete(ticket)
		.where(and(eq(ticket.business, business.value), eq(ticket.tokenHash, digest)))
		.returning();
	if (taken === undefined || taken.expiresAt <= clock() || taken.document !== document)
		return undefined;
	const row = await findDevice(executor, business.value, taken.code);
	return row === undefined ? undefined : callerOfDevice(row);
}

async function takeOfPhone(
	{ executor, clock }: TicketsParts,
	{ token: { scope, digest }, document }: Asked
): Promise<Result<Caller, unknown> | undefined> {
	const person = parsePersonId(scope);
	if (!person.ok) return undefined;
	const [taken] = await executor
		.delete(phoneTicket)
		.where(and(eq(phoneTicket.person, person.value), eq(phoneTicket.tokenHash, digest)))
		.returning();
	if (taken === undefined || taken.expiresAt <= clock() || taken.document !== document)
		return undefined;
	return findPhone(executor, person.value, taken.code);
}
