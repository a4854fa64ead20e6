import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { err, ok, type Result } from '#domain/result.ts';
import { readClock } from '#server/database/clock.ts';
import { message } from '#server/database/messages.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import {
	final,
	passing,
	type MessageGateway,
	type OutgoingMessage,
	type SendRefusal
} from './message-gateway.ts';
import { queueMessage, type QueuedMessage } from './message-queue.ts';
import { backoffMs, createMessages, TAKEN_MS, TRIES_MAX, type Messages } from './messages.ts';
import { outcomeOf, readOutbox, textOf, type LoggedMessage } from './outbox.ts';
import { practiceGateway } from './practice.ts';

let database: TestDatabase;
const clock = { now: Date.UTC(2026, 10, 20, 9) };
const faults: unknown[] = [];

beforeAll(async () => {
	database = await createTestDatabase();
});
beforeEach(async () => {
	await database.sql`truncate message`;
});
afterAll(() => database.close());

type Answer = Result<string, SendRefusal>;

/** A gateway of a test's own: gives one answer after the other, the last for ever. */
interface TestGateway extends MessageGateway {
	readonly asked: OutgoingMessage[];
}

function gatewayThat(...answers: readonly (Answer | Promise<Answer>)[]): TestGateway {
	const asked: OutgoingMessage[] = [];
	return {
		name: 'test',
		isPractice: false,
		asked,
		async send(given) {
			asked.push(given);
			return answers[Math.min(asked.length, answers.length) - 1] ?? ok('taken');
		}
	};
}

function sender(gateway: MessageGateway, aheadMs?: number): Messages {
	return createMessages({
		...(aheadMs !== undefined && { commonClock: () => Promise.resolve(clock.now) }),
		executor: database.orm,
		gateways: { sms: gateway, email: gateway },
		clock: () => clock.now + (aheadMs ?? 0),
		random: () => 1,
		fault: (fault) => faults.push(fault)
	});
}

async function queue(changes: Partial<QueuedMessage> = {}): Promise<void> {
	await queueMessage(database.orm, {
		channel: 'sms',
		to: '+254700000001',
		text: 'your code is 482177',
		key: 'code/1',
		secret: true,
		at: clock.now,
		...changes
	});
}

async function logged(): Promise<readonly LoggedMessage[]> {
	return readOutbox(database.orm, 10);
}

/** Sends what is due, and again after every pause, until nothing waits. */
async function sendToItsEnd(messages: Messages): Promise<void> {
	for (let round = 0; round < 2 * TRIES_MAX; round += 1) {
		await messages.sendDue();
		clock.now += TAKEN_MS * 4;
	}
}

describe('the queue', () => {
	it('[MESSAGE-1] sends what was committed, and nothing that was not', async () => {
		const gateway = gatewayThat(ok('id 7'));
		const failed = database.orm.transaction(async (tx) => {
			await queueMessage(tx, { channel: 'sms', to: '+1', text: 'never', key: 'never' });
			throw new Error('its cause failed');
		});
		await expect(failed).rejects.toThrow('its cause failed');
		await queue();
		await sender(gateway).sendDue();
		expect(gateway.asked).toEqual([
			{ to: '+254700000001', text: 'your code is 482177', idempotencyKey: 'code/1' }
		]);
		expect((await logged()).map(outcomeOf)).toEqual(['sent by test (id 7)']);
	});

	it('[MESSAGE-1] is woken by what was queued, and goes on after a fault', async () => {
		const gateway = gatewayThat();
		const messages = sender(gateway);
		await queue();
		messages.wake();
		messages.wake();
		await expect.poll(() => gateway.asked.length).toBe(1);
		await queue({ key: 'code/2' });
		messages.wake();
		await expect.poll(() => gateway.asked.length).toBe(2);
		await messages.close();
		await queue({ key: 'code/3' });
		messages.wake();
		expect(gateway.asked).toHaveLength(2);
		expect(faults).toEqual([]);
	});

	it('[MESSAGE-2] takes the same cause twice as one message', async () => {
		const gateway = gatewayThat();
		await queue();
		await queue({ text: 'another text' });
		await sender(gateway).sendDue();
		await queue();
		await sender(gateway).sendDue();
		expect(gateway.asked).toHaveLength(1);
		expect(await logged()).toHaveLength(1);
	});

	it.each([
		[
			'hung twice, then took it',
			[passing('late'), passing('late')],
			'sent by test after 3 tries (taken)'
		],
		[
			'broke for ever',
			Array.from({ length: 9 }, () => passing('it answered 500')),
			'failed by test after 6 tries (it answered 500)'
		],
		['said no', [final('it answered 400')], 'failed by test (it answered 400)']
	] as const)(
		'[MESSAGE-2] [MESSAGE-3] has one outcome where a gateway %s',
		async (_what, refusals, outcome) => {
			const gateway = gatewayThat(...refusals.map((refusal) => err(refusal)), ok('taken'));
			await queue();
			await sendToItsEnd(sender(gateway));
			expect((await logged()).map(outcomeOf)).toEqual([outcome]);
			expect(new Set(gateway.asked.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
		}
	);

	it('[MESSAGE-3] is not sent again and again where nothing of it can be written down', async () => {
		// As an answer that the database does not take.
		const gateway = gatewayThat(ok('id \0'));
		const messages = sender(gateway);
		await queue();
		for (let round = 0; round < 2 * TRIES_MAX; round += 1) {
			await messages.sendDue().catch((fault: unknown) => {
				if (!String(fault).includes('update "message"')) throw fault;
			});
			clock.now += TAKEN_MS;
		}
		expect(gateway.asked).toHaveLength(TRIES_MAX);
		const outcome = 'failed by test after 7 tries (nobody knows whether it was sent)';
		expect((await logged()).map(outcomeOf)).toEqual([outcome]);
	});

	it('[MESSAGE-10] stops behind what is being sent, also where nothing of another can be written down', async () => {
		const slow = Promise.withResolvers<Answer>();
		// The first as an answer that the database does not take.
		const gateway = gatewayThat(ok('id \0'), slow.promise);
		const messages = sender(gateway);
		await queue();
		await queue({ key: 'code/2' });
		messages.wake();
		await expect.poll(() => gateway.asked.length).toBe(2);
		setTimeout(() => {
			slow.resolve(ok('taken'));
		}, 500);
		await new Promise((resolve) => setTimeout(resolve, 250));
		await messages.close();
		const outcomes = (await logged()).map(outcomeOf);
		expect(outcomes.filter((outcome) => outcome === 'sent by test (taken)')).toHaveLength(1);
	});

	it('[MESSAGE-10] stops behind what is being sent, and begins nothing more of what is due', async () => {
		const slow = Promise.withResolvers<Answer>();
		const gateway = gatewayThat(slow.promise);
		const messages = sender(gateway);
		for (let n = 0; n < 20; n += 1) await queue({ key: `code/${String(n)}` });
		messages.wake();
		await expect.poll(() => gateway.asked.length).toBe(8);
		const closed = messages.close();
		slow.resolve(ok('taken'));
		await closed;
		expect(gateway.asked).toHaveLength(8);
		// Whoever starts next finds the others due.
		const next = sender(gateway);
		await next.sendDue();
		expect(gateway.asked).toHaveLength(20);
		await next.close();
	});

	it('[MESSAGE-3] waits before it asks again, longer each time', async () => {
		const gateway = gatewayThat(err(passing('busy')));
		const messages = sender(gateway);
		await queue();
		await messages.sendDue();
		clock.now += backoffMs(1, () => 1) - 1;
		await messages.sendDue();
		expect(gateway.asked).toHaveLength(1);
		clock.now += 1;
		await messages.sendDue();
		expect(gateway.asked).toHaveLength(2);
		const pauses = [1, 2, 3, 6, 7, 50].map((tries) => backoffMs(tries, () => 1));
		expect(pauses).toEqual([2_000, 4_000, 8_000, 64_000, 120_000, 120_000]);
		expect(backoffMs(3, () => 0)).toBe(0);
	});

	it('[MESSAGE-11] is sent though the clock was ahead when it was queued, and was set back', async () => {
		const DAYS_MS = 3 * 86_400_000;
		const gateway = gatewayThat(err(passing('busy')), ok('taken'));
		const messages = sender(gateway);
		await queue({ at: clock.now + DAYS_MS });
		await messages.sendDue();
		expect(gateway.asked).toHaveLength(1);
		// What waits for its next try waits its time.
		await messages.sendDue();
		expect(gateway.asked).toHaveLength(1);
		clock.now += 120_000;
		await messages.sendDue();
		expect(gateway.asked).toHaveLength(2);
		await messages.close();
	});

	it('[MESSAGE-4] of a sender that was killed is sent with the same key by another', async () => {
		const hung = gatewayThat(new Promise<Answer>(() => undefined));
		await queue();
		void sender(hung).sendDue();
		await expect.poll(() => hung.asked.length).toBe(1);
		const gateway = gatewayThat();
		const other = sender(gateway);
		clock.now += TAKEN_MS - 1;
		await other.sendDue();
		expect(gateway.asked).toHaveLength(0);
		clock.now += 1;
		await other.sendDue();
		expect(gateway.asked).toEqual(hung.asked);
		expect((await logged()).map(outcomeOf)).toEqual(['sent by test after 2 tries (taken)']);
	});

	it('[MESSAGE-2] keeps the outcome of who had the message last', async () => {
		const slow = Promise.withResolvers<Answer>();
		const first = gatewayThat(slow.promise);
		await queue();
		const sending = sender(first).sendDue();
		await expect.poll(() => first.asked.length).toBe(1);
		clock.now += TAKEN_MS;
		await sender(gatewayThat(ok('second'))).sendDue();
		slow.resolve(err(passing('late')));
		await sending;
		expect((await logged()).map(outcomeOf)).toEqual(['sent by test after 2 tries (second)']);
	});

	it('[MESSAGE-7] lets nobody who lost a message say when it is tried next', async () => {
		const slow = Promise.withResolvers<Answer>();
		const first = gatewayThat(slow.promise);
		await queue();
		const sending = sender(first).sendDue();
		await expect.poll(() => first.asked.length).toBe(1);
		clock.now += TAKEN_MS;
		await sender(gatewayThat(err(passing('busy')))).sendDue();
		const before = await logged();
		slow.resolve(err(passing('late')));
		await sending;
		expect(await logged()).toEqual(before);
	});

	it('[MESSAGE-5] forgets a private text once a real gateway had it or nobody will', async () => {
		await queue();
		await queue({ key: 'open', secret: false, text: 'open' });
		await queue({ key: 'refused', channel: 'email' });
		const gateways = { sms: gatewayThat(), email: gatewayThat(err(final('no'))) };
		const parts = { executor: database.orm, clock: () => clock.now, random: () => 0 };
		await createMessages({ ...parts, gateways, fault: () => undefined }).sendDue();
		const texts = Object.fromEntries((await logged()).map((one) => [one.key, textOf(one)]));
		expect(texts['open']).toBe('open');
		expect(texts['code/1']).toBe('(the text was private and is not kept)');
		expect(texts['refused']).toBe('(the text was private and is not kept)');
		const rows = await database.orm.select().from(message);
		expect(JSON.stringify(rows)).not.toContain('482177');
	});

	it('[MESSAGE-5] keeps it in the outbox of the practice provider', async () => {
		await queue();
		const messages = sender(practiceGateway);
		await messages.sendDue();
		expect(messages.kinds).toEqual({ sms: 'practice', email: 'practice' });
		expect((await logged()).map(textOf)).toEqual(['your code is 482177']);
		expect((await logged()).map(outcomeOf)).toEqual(['sent by practice (kept in the outbox)']);
	});

	it('[MESSAGE-6] does not send what is too late', async () => {
		const gateway = gatewayThat();
		await queue({ expiresAt: clock.now + 1_000 });
		clock.now += 1_000;
		await sender(gateway).sendDue();
		expect(gateway.asked).toEqual([]);
		expect((await logged()).map(({ state, body }) => [state, body])).toEqual([['failed', null]]);
	});

	it.each([TAKEN_MS, -TAKEN_MS])(
		'[MESSAGE-7] is sent by one sender at a time where the clock of another is %i ms ahead',
		async (aheadMs) => {
			const slow = Promise.withResolvers<Answer>();
			const first = gatewayThat(slow.promise);
			await queue({ at: clock.now - TAKEN_MS });
			const sending = sender(first, 0).sendDue();
			await expect.poll(() => first.asked.length).toBe(1);
			const gateway = gatewayThat();
			const other = sender(gateway, aheadMs);
			await other.sendDue();
			expect(gateway.asked).toEqual([]);
			slow.resolve(err(passing('busy')));
			await sending;
			clock.now += backoffMs(1, () => 1);
			await other.sendDue();
			expect((await logged()).map(outcomeOf)).toEqual(['sent by test after 2 tries (taken)']);
		}
	);

	it('[MESSAGE-7] goes by the time of the database where there are several', async () => {
		const before = await readClock(database.sql);
		const after = await readClock(database.sql);
		expect(after).toBeGreaterThanOrEqual(before);
		// The same machine's in a test.
		expect(Math.abs(after - Date.now())).toBeLessThan(60_000);
	});

	it('[MESSAGE-7] of five senders at once each message has one', async () => {
		const gateway = gatewayThat();
		const keys = Array.from({ length: 60 }, (_, n) => `many/${String(n)}`);
		await Promise.all(keys.map((key) => queue({ key })));
		await Promise.all(Array.from({ length: 5 }, () => sender(gateway).sendDue()));
		const asked = gateway.asked.map(({ idempotencyKey }) => idempotencyKey);
		expect(asked.toSorted()).toEqual(keys.toSorted());
	});

	it('[MESSAGE-9] sends an e-mail while all that goes by SMS hangs', async () => {
		const line = Promise.withResolvers<Answer>();
		const gateways = { sms: gatewayThat(line.promise), email: gatewayThat() };
		const parts = { executor: database.orm, clock: () => clock.now, random: () => 0 };
		const messages = createMessages({ ...parts, gateways, fault: (fault) => faults.push(fault) });
		for (let n = 0; n < 20; n += 1) await queue({ key: `sms/${String(n)}` });
		messages.wake();
		await expect.poll(() => gateways.sms.asked.length).toBeGreaterThan(0);
		await queue({ key: 'mail/1', channel: 'email', to: 'amina@example.com' });
		messages.wake();
		await expect.poll(() => gateways.email.asked.length).toBe(1);
		line.resolve(ok('taken'));
		await expect.poll(() => gateways.sms.asked.length).toBe(20);
		await messages.close();
		expect(faults).toEqual([]);
	});
});
