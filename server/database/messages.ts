import { boolean, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { account } from './accounts.ts';
import { bytes, instant } from './columns.ts';

/**
 * Every message to a person: first the queue that it waits in, then the line of the log that says
 * what became of it. One row, so that there is one outcome however often a gateway was asked.
 */
export const message = pgTable(
	'message',
	{
		/** Named by what causes it: the same cause writes no second one, and no gateway sends it twice. */
		key: text('key').primaryKey(),
		channel: text('channel', { enum: ['sms', 'email'] }).notNull(),
		/** E.164, or an e-mail address. */
		recipient: text('recipient').notNull(),
		subject: text('subject'),
		/** Null once a real gateway has taken, or nobody will take, a text that is secret. */
		body: text('body'),
		isSecret: boolean('is_secret').notNull(),
		state: text('state', { enum: ['waiting', 'sent', 'failed'] }).notNull(),
		tries: integer('tries').notNull(),
		/** When it is tried next; while somebody is sending it, when he is taken for dead. */
		dueAt: instant('due_at').notNull(),
		/** No sense in sending it later; null for never. */
		expiresAt: instant('expires_at'),
		createdAt: instant('created_at').notNull(),
		endedAt: instant('ended_at'),
		/** Who was asked last. */
		gateway: text('gateway'),
		/** What was answered last, in words for the operator. */
		answer: text('answer')
	},
	(table) => [
		index('message_by_due').on(table.state, table.dueAt),
		index('message_by_recipient').on(table.recipient, table.createdAt),
		index('message_by_age').on(table.createdAt)
	]
);

/**
 * A code that somebody was sent, or nobody was. The code itself is not here: it comes from `serial` by a key
 * that the database does not hold, and is good as long as its message.
 */
export const oneTimeCode = pgTable(
	'one_time_code',
	{
		purpose: text('purpose').notNull(),
		subject: text('subject').notNull(),
		serial: uuid('serial').notNull(),
		/** The address that it proves; null where nobody is sent it, and it is never right. */
		channel: text('channel', { enum: ['sms', 'email'] }),
		recipient: text('recipient'),
		sends: integer('sends').notNull(),
		/** Since it was last asked for, whether it was sent or not: what everybody is told. */
		tries: integer('tries').notNull(),
		/** Of `serial`, which stays where the next is asked for and not sent: what is too many for it. */
		serialTries: integer('serial_tries').notNull().default(0),
		firstSentAt: instant('first_sent_at').notNull(),
		sentAt: instant('sent_at').notNull(),
		expiresAt: instant('expires_at').notNull(),
		usedAt: instant('used_at')
	},
	(table) => [
		primaryKey({ columns: [table.purpose, table.subject] }),
		index('one_time_code_by_expiry').on(table.expiresAt)
	]
);

/** An account's second factor; it counts from `confirmedAt`. */
export const secondFactor = pgTable('second_factor', {
	account: uuid('account')
		.primaryKey()
		.references(() => account.account),
	/** The TOTP secret, AES-256-GCM under a key of this server. */
	wrappedSecret: bytes('wrapped_secret').notNull(),
	createdAt: instant('created_at').notNull(),
	confirmedAt: instant('confirmed_at')
});

/** A time step whose code was taken; who comes second with it finds the row. */
export const spentStep = pgTable(
	'spent_step',
	{
		account: uuid('account')
			.notNull()
			.references(() => account.account),
		step: integer('step').notNull()
	},
	(table) => [primaryKey({ columns: [table.account, table.step] })]
);

export const recoveryCode = pgTable(
	'recovery_code',
	{
		account: uuid('account')
			.notNull()
			.references(() => account.account),
		codeHash: bytes('code_hash').notNull(),
		usedAt: instant('used_at')
	},
	(table) => [primaryKey({ columns: [table.account, table.codeHash] })]
);
