import { and, eq, sql } from 'drizzle-orm';
import type { Result } from '#domain/result.ts';
import { message } from '#server/database/messages.ts';
import type { Executor } from '#server/database/transaction.ts';
import type { Channel, Gateways, SendRefusal } from './message-gateway.ts';

/** Sends what is queued, and knows by whom. */
export interface Messages {
	readonly kinds: Readonly<Record<Channel, 'practice' | 'real'>>;
	/** Something was queued and committed: send it now. Never throws. */
	wake(): void;
	/** Sends all that is due now, and resolves when each has been tried once. */
	sendDue(): Promise<void>;
	/** Stops, after what is being sent. */
	close(): Promise<void>;
}

export interface MessagesParts {
	readonly executor: Executor;
	readonly gateways: Gateways;
	/** UTC ms. */
	readonly clock: () => number;
	/** UTC ms, as all senders of this queue have it, whatever their own clocks say; their own where it is absent. */
	readonly commonClock?: (() => Promise<number>) | undefined;
	/** From 0 to less than 1. */
	readonly random: () => number;
	/** Hears of faults of ours or of the database; the queue goes on. */
	readonly fault: (fault: unknown) => void;
}

/** One message that this process has taken upon itself for a while. */
interface Taken {
	readonly key: string;
	readonly channel: Channel;
	readonly recipient: string;
	readonly subject: string | null;
	readonly body: string;
	readonly isSecret: boolean;
	readonly tries: number;
	readonly isLate: boolean;
}

export const TRIES_MAX = 6;
/** Who took a message and did not say what became of it in this time was killed. */
export const TAKEN_MS = 60_000;
const AT_ONCE_MAX = 8;
const BACKOFF_MS_FIRST = 2_000;
const BACKOFF_MS_MAX = 120_000;
/** How often one looks for what others queued, or left. */
const LOOK_AGAIN_MS = 5_000;
/** None is due so much later, by any relay's clock: one that is was written down by one that was set back since. */
const AHEAD_MS = 3_600_000;
const LOG_KEPT_MS = 90 * 24 * 3_600_000;
const SWEPT_MAX = 50;

/** Workers over the queue, one for each way; those of several servers do not get into each other's way. */
export function createMessages(parts: MessagesParts): Messages {
	const { gateways } = parts;
	const workers = CHANNELS.map((channel) => createWorker(parts, channel));
	return {
		kinds: { sms: kindOf(gateways.sms), email: kindOf(gateways.email) },
		wake() {
			for (const worker of workers) worker.wake();
		},
		async sendDue() {
			await Promise.all(CHANNELS.map((channel) => sendAllDue(parts, channel, () => false)));
		},
		async close() {
			await Promise.all(workers.map((worker) => worker.close()));
		}
	};
}

const CHANNELS: readonly Channel[] = ['sms', 'email'];

/** MESSAGE-9. Sends what goes by one way: a gateway that hangs holds up its own messages alone. */
function createWorker(parts: MessagesParts, channel: Channel): Pick<Messages, 'wake' | 'close'> {
	const now = { isAskedAgain: false, isClosed: false };
	let running: Promise<void> | undefined;
	let timer: NodeJS.Timeout | undefined;

	const isToGoOn = (): boolean => now.isAskedAgain && !now.isClosed;

	async function run(): Promise<void> {
		try {
			do {
				now.isAskedAgain = false;
				await sendAllDue(parts, channel, () => now.isClosed);
			} while (isToGoOn());
		} catch (fault) {
			if (!now.isClosed) parts.fault(fault);
		} finally {
			running = undefined;
			if (!now.isClosed) lookAgain();
		}
	}
	function lookAgain(): void {
		clearTimeout(timer);
		timer = setTimeout(wake, LOOK_AGAIN_MS);
		timer.unref();
	}
	function wake(): void {
		if (now.isClosed) return;
		now.isAskedAgain = true;
		running ??= run();
	}
	return {
		wake,
		async close() {
			now.isClosed = true;
			clearTimeout(timer);
			await running;
		}
	};
}

/** How long the nth try is behind the one before: full jitter under a bound that doubles. */
export function backoffMs(tries: number, random: () => number): number {
	return Math.floor(random() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** (tries - 1)));
}

function kindOf({ isPractice }: { readonly isPractice: boolean }): 'practice' | 'real' {
	return isPractice ? 'practice' : 'real';
}

/** Some at a time, until nothing is due or it is to stop. */
async function sendAllDue(
	parts: MessagesParts,
	channel: Channel,
	isClosed: () => boolean
): Promise<void> {
	while (!isClosed()) {
		const taken = await takeDue(parts, channel);
		const sent = await Promise.allSettled(taken.map((one) => sendOne(parts, one)));
		// Only now: of what another sends still, the answer is to be written down before anybody stops.
		const lost = sent.find((one) => one.status === 'rejected');
		if (lost !== undefined) throw lost.reason;
		if (taken.length < AT_ONCE_MAX) break;
	}
	await sweep(parts);
}

/** Takes some that are due: nobody else does before they are taken for lost. */
async function takeDue(
	{ executor, clock, commonClock }: MessagesParts,
	channel: Channel
): Promise<readonly Taken[]> {
	const now = clock();
	const common = (await commonClock?.()) ?? now;
	// One that was tried is due by the clock of all: whose own is ahead takes none that is being sent.
	const at = sql`case when ${message.tries} = 0 then ${now}::bigint else ${common}::bigint end`;
	const isDue = sql`(${message.dueAt} <= ${at} or ${message.dueAt} > ${at} + ${AHEAD_MS}::bigint)`;
	const isWaiting = and(eq(message.state, 'waiting'), eq(message.channel, channel));
	const due = executor
		.select({ key: message.key })
		.from(message)
		.where(and(isWaiting, isDue))
		.orderBy(message.dueAt)
		.limit(AT_ONCE_MAX)
		.for('update', { skipLocked: true });
	const rows = await executor
		.update(message)
		.set({ dueAt: common + TAKEN_MS, tries: sql`${message.tries} + 1` })
		.where(sql`${message.key} = any(array(${due}))`)
		.returning();
	return rows.map(({ body, expiresAt, ...row }) => ({
		...row,
		body: body ?? '',
		isLate: expiresAt !== null && expiresAt <= now
	}));
}

async function sendOne(parts: MessagesParts, taken: Taken): Promise<void> {
	const gateway = parts.gateways[taken.channel];
	if (taken.isLate) {
		await end(parts, taken, { state: 'failed', answer: 'it was too late to send it' });
		return;
	}
	// What became of the tries before was never written: their senders died, or could not write it.
	if (taken.tries > TRIES_MAX) {
		await end(parts, taken, { state: 'failed', answer: 'nobody knows whether it was sent' });
		return;
	}
	const answered = await gateway.send({
		to: taken.recipient,
		text: taken.body,
		...(taken.subject === null ? {} : { subject: taken.subject }),
		idempotencyKey: taken.key
	});
	if (answered.ok) await end(parts, taken, { state: 'sent', answer: answered.value });
	else await refused(parts, taken, answered);
}

async function refused(
	parts: MessagesParts,
	taken: Taken,
	{ error }: Result<never, SendRefusal> & { ok: false }
): Promise<void> {
	const { reason: answer, isPassing } = error;
	if (!isPassing || taken.tries >= TRIES_MAX) {
		await end(parts, taken, { state: 'failed', answer });
		return;
	}
	const now = (await parts.commonClock?.()) ?? parts.clock();
	const dueAt = now + backoffMs(taken.tries, parts.random);
	await write(parts, taken, { dueAt, answer });
}

type Outcome = Readonly<Pick<typeof message.$inferInsert, 'answer' | 'state'>>;

/** The one outcome; where a real gateway had the text, or nobody will, a secret one is forgotten. */
async function end(parts: MessagesParts, taken: Taken, outcome: Outcome): Promise<void> {
	const isKept = !taken.isSecret || parts.gateways[taken.channel].isPractice;
	await write(parts, taken, {
		...outcome,
		endedAt: parts.clock(),
		...(isKept ? {} : { body: null })
	});
}

/** Only who has the message still: after a long sleep somebody else may have sent it. */
async function write(
	{ executor, gateways }: MessagesParts,
	taken: Taken,
	fields: Partial<typeof message.$inferInsert>
): Promise<void> {
	await executor
		.update(message)
		.set({ ...fields, gateway: gateways[taken.channel].name })
		.where(
			and(eq(message.key, taken.key), eq(message.state, 'waiting'), eq(message.tries, taken.tries))
		);
}

/** The log keeps its lines for a season. */
async function sweep({ executor, clock }: MessagesParts): Promise<void> {
	await executor.execute(sql`
		delete from ${message} where ctid = any(array(
			select ctid from ${message} where ${message.createdAt} < ${clock() - LOG_KEPT_MS}
			limit ${SWEPT_MAX} for update skip locked))`);
}
