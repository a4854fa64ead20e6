import { sql } from 'drizzle-orm';
import {
	bigint,
	boolean,
	foreignKey,
	index,
	integer,
	pgTable,
	primaryKey,
	text,
	unique,
	uuid
} from 'drizzle-orm/pg-core';
import { person } from './accounts.ts';
import { bytes, instant } from './columns.ts';

/** What a person is called, where he is not called as his account, and the last number given to a phone. */
export const personDetail = pgTable('person_detail', {
	person: uuid('person')
		.primaryKey()
		.references(() => person.person),
	/** Null: as the account. */
	name: text('name'),
	lastPhone: integer('last_phone').notNull().default(0)
});

/** A phone keeps its number for ever; `removedAt` ends its access, never its past. */
export const phone = pgTable(
	'phone',
	{
		person: uuid('person')
			.notNull()
			.references(() => person.person),
		/** `p{number}`. */
		code: text('code').notNull(),
		number: integer('number').notNull(),
		publicKey: bytes('public_key').notNull(),
		/** The first 8 bytes of the key's SHA-256. */
		kid: bytes('kid').notNull(),
		joinedAt: instant('joined_at').notNull(),
		/** The database's epoch then: a restored one may stand on a machine whose clock is behind. */
		joinedEpoch: integer('joined_epoch').notNull().default(0),
		removedAt: instant('removed_at'),
		/** The phone whose numbers were used by two, and in whose place this one writes on. */
		heirOf: text('heir_of')
	},
	(table) => [
		primaryKey({ columns: [table.person, table.code] }),
		index('phone_by_ancestor').on(table.person, table.heirOf),
		unique('phone_key_once').on(table.person, table.publicKey)
	]
);

export const phoneToken = pgTable(
	'phone_token',
	{
		person: uuid('person').notNull(),
		tokenHash: bytes('token_hash').notNull(),
		code: text('code').notNull(),
		expiresAt: instant('expires_at').notNull()
	},
	(table) => [
		primaryKey({ columns: [table.person, table.tokenHash] }),
		index('phone_token_by_expiry').on(table.expiresAt),
		foreignKey({
			columns: [table.person, table.code],
			foreignColumns: [phone.person, phone.code]
		})
	]
);

/** Opens one document's socket once, for the phone it was made for. */
export const phoneTicket = pgTable(
	'phone_ticket',
	{
		person: uuid('person').notNull(),
		tokenHash: bytes('token_hash').notNull(),
		code: text('code').notNull(),
		document: text('document').notNull(),
		/** The session that it was given to; null where the phone's key proved it. */
		session: uuid('session'),
		expiresAt: instant('expires_at').notNull()
	},
	(table) => [
		primaryKey({ columns: [table.person, table.tokenHash] }),
		index('phone_ticket_by_expiry').on(table.expiresAt),
		foreignKey({
			columns: [table.person, table.code],
			foreignColumns: [phone.person, phone.code]
		})
	]
);

/**
 * Who stands behind a ledger: what no shop's device may know. Written by whoever links, with the
 * `link` fact that the shop sees, under the locks of both feeds (`LockScopes`).
 */
export const ledgerLink = pgTable(
	'ledger_link',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		/** Null where the ledger is linked by phone: there is nobody to bring records to. */
		person: uuid('person'),
		state: text('state', { enum: ['linked', 'ended'] }).notNull(),
		way: text('way', { enum: ['app', 'phone'] }).notNull(),
		/** Rises with every link and every new set of codes, and never falls. */
		epoch: integer('epoch').notNull(),
		/** Since when the state stands. */
		at: instant('at').notNull()
	},
	(table) => [
		primaryKey({ columns: [table.business, table.ledger] }),
		index('ledger_link_by_person').on(table.person)
	]
);

/**
 * How far the bridge of a ledger to one person has come, and what is still to be carried over it. Of no
 * ledger, the same of the shop's card.
 */
export const bridgeState = pgTable(
	'bridge_state',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		person: uuid('person').notNull(),
		/** UTC day number, and how many facts were carried on it. */
		day: integer('day').notNull().default(0),
		count: integer('count').notNull().default(0),
		/** Whether the limit of a day left something behind. */
		isBehind: boolean('is_behind').notNull().default(false),
		/** Up to when the shop was told that the person saw its records. */
		sawUpTo: instant('saw_up_to').notNull().default(0)
	},
	(table) => [
		primaryKey({ columns: [table.business, table.ledger, table.person] }),
		index('bridge_state_by_person').on(table.person),
		index('bridge_state_to_do')
			.on(table.business)
			.where(sql`is_behind`)
	]
);

/**
 * What was carried over to a person, once ever: a record by its H, another fact by its id. Of no ledger,
 * the shop's card by its digest: the one that he was told last.
 */
export const bridged = pgTable(
	'bridged',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		person: uuid('person').notNull(),
		key: text('key').notNull(),
		/** In whose journal the shop hears of the answer. */
		branch: uuid('branch'),
		/** When the shop wrote it, by its fact's stamp. */
		wroteAt: instant('wrote_at').notNull(),
		/** When it was carried over, by the relay's stamp. */
		bookedAt: instant('booked_at').notNull()
	},
	(table) => [
		primaryKey({ columns: [table.business, table.ledger, table.person, table.key] }),
		index('bridged_by_key').on(table.business, table.key),
		index('bridged_by_time').on(table.business, table.ledger, table.person, table.bookedAt)
	]
);

/** What somebody answered before he was brought what he answers, as happens after a restore. */
export const earlyAnswer = pgTable(
	'early_answer',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		person: uuid('person').notNull(),
		/** The H of the record. */
		key: text('key').notNull(),
		/** The answer's name in the person's feed. */
		code: text('code').notNull(),
		n: bigint('n', { mode: 'number' }).notNull()
	},
	(table) => [
		primaryKey({
			columns: [table.business, table.ledger, table.person, table.key, table.code, table.n]
		})
	]
);

/** The relay's own signing key, once for all relays of a database; and those of which the secret was lost. */
export const relayKey = pgTable('relay_key', {
	/** 1, or more where it signs no longer. */
	place: integer('place').primaryKey(),
	kid: text('kid').notNull(),
	publicKey: bytes('public_key').notNull(),
	/** PKCS 8, sealed under the server's secret; empty where it signs no longer. */
	sealed: bytes('sealed').notNull(),
	createdAt: instant('created_at').notNull()
});
