import { only, type DeviceStore } from '#storage/device-store.ts';
import type { TicketAnswer } from '#sync/ticket-socket.ts';
import { readMeta } from './meta.ts';

/**
 * DEVICE-48. From which of its own numbers on a device must hear what the relay has, as an address says
 * it: the first that is unsent, or the next that it will write, so that it also hears of numbers that
 * a copy of it used. Undefined where it must hear everything, as it does of an epoch new to it.
 */
export async function haveFrom(store: DeviceStore): Promise<string | undefined> {
	return store.read(['meta', 'journal'], async (rows) => {
		const epoch = await readMeta(rows, 'epoch');
		const sequence = await readMeta(rows, 'sequence');
		if (epoch === undefined || sequence === undefined) return undefined;
		const [oldest] = await rows.find('journal', { ...only('sent', 0), limit: 1 });
		const next = sequence.n + 1;
		return `${String(epoch)}.${String(Math.min(oldest?.n ?? next, next))}`;
	});
}

/** The ticket, with what the address says beside it. */
export async function ticketFrom(
	store: DeviceStore,
	ticket: Promise<TicketAnswer>
): Promise<TicketAnswer> {
	const answer = await ticket;
	return 'ticket' in answer ? { ...answer, from: await haveFrom(store) } : answer;
}
