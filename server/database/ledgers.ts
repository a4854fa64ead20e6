import { sql } from 'drizzle-orm';
import {
	bigint,
	index,
	integer,
	pgTable,
	primaryKey,
	text,
	uniqueIndex,
	uuid,
	type PgBigInt53BuilderInitial
} from 'drizzle-orm/pg-core';
import type { VerdictResult } from '#domain/confirmation/verdict.ts';
import { person } from './accounts.ts';
import { bytes, instant } from './columns.ts';

function whole<Name extends string>(name: Name): PgBigInt53BuilderInitial<Name> {
	return bigint(name, { mode: 'number' });
}

/**
 * What a ledger's codes and verdicts hang on. Whoever links, makes codes or judges locks this row
 * first, then the feed's counters: one at a time for each ledger.
 */
export const ledgerGuard = pgTable(
	'ledger_guard',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		/** The last verdict's number, and the SHA-256 of its bytes. */
		verdictSeq: whole('verdict_seq').notNull().default(0),
		verdictHash: bytes('verdict_hash'),
		/** E.164, proved at the counter; null where the ledger is not linked by phone. */
		phone: text('phone'),
		/** Wrong codes of the link's epoch. */
		sheetWrong: integer('sheet_wrong').notNull().default(0),
		appWrong: integer('app_wrong').notNull().default(0)
	},
	(table) => [primaryKey({ columns: [table.business, table.ledger] })]
);

/**
 * K_C, AES-256-GCM under a key that the database does not hold. The highest version is the one that
 * new codes come from; the others are of codes that were given out before a phone was removed.
 */
export const personSecret = pgTable(
	'person_secret',
	{
		person: uuid('person')
			.notNull()
			.references(() => person.person),
		version: integer('version').notNull().default(1),
		sealed: bytes('sealed').notNull(),
		createdAt: instant('created_at').notNull()
	},
	(table) => [primaryKey({ columns: [table.person, table.version] })]
);

/** The same for a ledger that is linked by phone, each time it is linked. */
export const ledgerSecret = pgTable(
	'ledger_secret',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		sealed: bytes('sealed').notNull(),
		createdAt: instant('created_at').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.ledger] })]
);

/** Whose secret the codes of an epoch come from: the person's, or the ledger's where it is null. */
export const codeEpoch = pgTable(
	'code_epoch',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		epoch: integer('epoch').notNull(),
		person: uuid('person'),
		/** The version of the person's secret. */
		secret: integer('secret').notNull().default(1),
		startedAt: instant('started_at').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.ledger, table.epoch] })]
);

/** A set of one-time codes; an epoch has one at most, since a new set raises it. */
export const sheetSet = pgTable(
	'sheet_set',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		epoch: integer('epoch').notNull(),
		kind: text('kind', { enum: ['debit', 'credit'] }).notNull(),
		currency: text('currency').notNull(),
		exponent: integer('exponent').notNull(),
		cap: whole('cap').notNull(),
		issuedAt: instant('issued_at').notNull(),
		/** Counters below it were given out, but for those passed over; those above are not yet codes. */
		nextCounter: integer('next_counter').notNull(),
		/** Counters that were passed over: a till would have taken their codes for others. */
		skipped: integer('skipped').array().notNull().default([])
	},
	(table) => [primaryKey({ columns: [table.business, table.ledger, table.epoch] })]
);

/** A code that was presented and right: its result stands for ever, for its record alone. */
export const codeSpent = pgTable(
	'code_spent',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		epoch: integer('epoch').notNull(),
		way: text('way', { enum: ['sheet', 'app'] }).notNull(),
		counter: whole('counter').notNull(),
		h: text('h').notNull(),
		claim: uuid('claim').notNull(),
		result: text('result').$type<VerdictResult>().notNull(),
		al: integer('al').notNull(),
		at: instant('at').notNull()
	},
	(table) => [
		primaryKey({
			columns: [table.business, table.ledger, table.epoch, table.way, table.counter]
		})
	]
);

/** One SMS code of one record, and what became of it. The code itself comes from h and send. */
export const smsSend = pgTable(
	'sms_send',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		h: text('h').notNull(),
		/** 0, 1 or 2. */
		send: integer('send').notNull(),
		recipient: text('recipient').notNull(),
		sentAt: instant('sent_at').notNull(),
		expiresAt: instant('expires_at').notNull(),
		tries: integer('tries').notNull().default(0),
		/** The result that the right code had when it was presented. */
		result: text('result').$type<VerdictResult>(),
		al: integer('al')
	},
	(table) => [primaryKey({ columns: [table.business, table.ledger, table.h, table.send] })]
);

/** Messages that a business had sent to its customers in a month (UTC, `2026-11`). */
export const smsMonth = pgTable(
	'sms_month',
	{
		business: uuid('business').notNull(),
		month: text('month').notNull(),
		sent: integer('sent').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.month] })]
);

/** Claims that were stored and not yet judged, written with their facts. */
export const claimWaiting = pgTable(
	'claim_waiting',
	{
		business: uuid('business').notNull(),
		claim: uuid('claim').notNull(),
		/** The fact that carries it. */
		code: text('code').notNull(),
		n: whole('n').notNull(),
		/** Null while it waits for its record and not for a time. */
		dueAt: instant('due_at'),
		/** How often its record was not there yet. */
		tries: integer('tries').notNull().default(0),
		/** The H of the record that it waits for. */
		awaits: text('awaits')
	},
	(table) => [
		primaryKey({ columns: [table.business, table.claim, table.code, table.n] }),
		index('claim_waiting_due')
			.on(table.business, table.claim, table.code, table.n)
			.where(sql`due_at is not null`),
		index('claim_waiting_for_record')
			.on(table.business, table.awaits)
			.where(sql`due_at is null`)
	]
);

/** The verdict on a claim, once. */
export const claimJudged = pgTable(
	'claim_judged',
	{
		business: uuid('business').notNull(),
		claim: uuid('claim').notNull(),
		ledger: uuid('ledger').notNull(),
		h: text('h').notNull(),
		seq: whole('seq').notNull(),
		v: bytes('v').notNull(),
		sig: bytes('sig').notNull(),
		judgedAt: instant('judged_at').notNull()
	},
	(table) => [
		primaryKey({ columns: [table.business, table.claim] }),
		uniqueIndex('claim_judged_chain').on(table.business, table.ledger, table.seq)
	]
);

/** Wrong claims of a business on a day (UTC). */
export const wrongDay = pgTable(
	'wrong_day',
	{
		business: uuid('business').notNull(),
		day: text('day').notNull(),
		wrong: integer('wrong').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.day] })]
);

/** One side asks the other to be connected. */
export const connectionAsk = pgTable(
	'connection_ask',
	{
		ask: uuid('ask').primaryKey(),
		business: uuid('business').notNull(),
		person: uuid('person')
			.notNull()
			.references(() => person.person),
		by: text('by', { enum: ['shop', 'customer'] }).notNull(),
		/** The shop's device that asked; null where the customer did. */
		code: text('code'),
		/** The card that the shop means; null until it names one. */
		ledger: uuid('ledger'),
		state: text('state', { enum: ['asked', 'accepted', 'declined'] }).notNull(),
		createdAt: instant('created_at').notNull(),
		answeredAt: instant('answered_at')
	},
	(table) => [
		uniqueIndex('connection_ask_open')
			.on(table.business, table.person)
			.where(sql`state = 'asked'`),
		index('connection_ask_by_business').on(table.business, table.person, table.createdAt)
	]
);

/** An invite links one ledger to one person. */
export const ledgerInvite = pgTable(
	'ledger_invite',
	{
		business: uuid('business').notNull(),
		tokenHash: bytes('token_hash').notNull(),
		ledger: uuid('ledger').notNull(),
		/** The device that made it; null of those that an older program made. */
		code: text('code'),
		createdAt: instant('created_at').notNull(),
		expiresAt: instant('expires_at').notNull(),
		usedAt: instant('used_at'),
		usedBy: uuid('used_by')
	},
	(table) => [
		primaryKey({ columns: [table.business, table.tokenHash] }),
		index('ledger_invite_by_expiry').on(table.expiresAt)
	]
);

/** Another number wanted for a ledger that is linked by phone: by a code to the old one, or in a week. */
export const phoneChange = pgTable(
	'phone_change',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		phone: text('phone').notNull(),
		askedAt: instant('asked_at').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.ledger] })]
);
