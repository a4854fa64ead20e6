import { and, eq } from 'drizzle-orm';
import type { BusinessId, DeviceCode } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { ticket } from '#server/database/accounts.ts';
import type { Executor } from '#server/database/transaction.ts';
import { callerOfDevice, findDevice, type DeviceCaller } from './device-auth.ts';
import type { Random } from './random.ts';
import { createBusinessToken, parseBusinessToken } from './secret-token.ts';
import { sweepExpired } from './sweep.ts';

export interface Tickets {
	/** A ticket that opens `document` once, for this device, within `TICKET_MS`. */
	create(device: { business: BusinessId; code: DeviceCode }, document: string): Promise<string>;
	/** Takes the ticket: spent whatever comes out. The caller's rights to the document are not asked. */
	take(text: string, document: string): Promise<Result<DeviceCaller, 'ticketRefused'>>;
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
		async create({ business, code }, document) {
			const now = clock();
			const { text, digest } = createBusinessToken(random, business);
			await sweepExpired(executor, ticket, { column: ticket.expiresAt, before: now });
			await executor
				.insert(ticket)
				.values({ business, tokenHash: digest, code, document, expiresAt: now + TICKET_MS });
			return text;
		},
		take: (text, document) => takeTicket(parts, text, document)
	};
}

async function takeTicket(
	{ executor, clock }: TicketsParts,
	text: string,
	document: string
): Promise<Result<DeviceCaller, 'ticketRefused'>> {
	const parsed = parseBusinessToken(text);
	if (!parsed.ok) return err('ticketRefused');
	const { business, digest } = parsed.value;
	const [taken] = await executor
		.delete(ticket)
		.where(and(eq(ticket.business, business), eq(ticket.tokenHash, digest)))
		.returning();
	if (taken === undefined || taken.expiresAt <= clock()) return err('ticketRefused');
	if (taken.document !== document) return err('ticketRefused');

	const row = await findDevice(executor, business, taken.code);
	const caller = row === undefined ? undefined : callerOfDevice(row);
	return caller?.ok === true ? ok(caller.value) : err('ticketRefused');
}
