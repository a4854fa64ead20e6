import { sql } from 'drizzle-orm';
import {
	check,
	foreignKey,
	index,
	integer,
	pgTable,
	primaryKey,
	text,
	timestamp,
	unique,
	uuid
} from 'drizzle-orm/pg-core';
import { bytes, instant } from './columns.ts';

/** Somebody who signs in. `person` is the one he is; other persons of his point to the account. */
export const account = pgTable(
	'account',
	{
		account: uuid('account').primaryKey(),
		username: text('username').notNull().unique(),
		kind: text('kind', { enum: ['store', 'customer'] }).notNull(),
		name: text('name').notNull(),
		email: text('email'),
		phone: text('phone'),
		/** When a code that was sent there came back; what is not proved is not written to. */
		emailProvedAt: instant('email_proved_at'),
		phoneProvedAt: instant('phone_proved_at'),
		/** The language that its messages are in. */
		language: text('language', { enum: ['en', 'ar'] })
			.notNull()
			.default('en'),
		passwordHash: text('password_hash').notNull(),
		person: uuid('person').notNull(),
		createdAt: instant('created_at').notNull()
	},
	(table) => [
		check('account_reachable', sql`${table.email} is not null or ${table.phone} is not null`),
		// For searches by the beginning of a name, whatever the database's language.
		index('account_username_beginning').on(table.username.op('text_pattern_ops'))
	]
);

/** A person's UUID, minted by a device before any server or by us, and the account it belongs to. */
export const person = pgTable(
	'person',
	{
		person: uuid('person').primaryKey(),
		account: uuid('account')
			.notNull()
			.references(() => account.account),
		createdAt: instant('created_at').notNull()
	},
	(table) => [index('person_by_account').on(table.account)]
);

/** A UUID that a device minted for somebody who already was a person. */
export const personAlias = pgTable('person_alias', {
	alias: uuid('alias').primaryKey(),
	person: uuid('person')
		.notNull()
		.references(() => person.person),
	createdAt: instant('created_at').notNull()
});

/** Only the SHA-256 of a session's token is kept: who reads the table cannot sign in with it. */
export const session = pgTable(
	'session',
	{
		tokenHash: bytes('token_hash').primaryKey(),
		/** What its owner calls it by in the list; it lets nobody in. */
		id: uuid('id').notNull().defaultRandom().unique(),
		account: uuid('account')
			.notNull()
			.references(() => account.account),
		userAgent: text('user_agent').notNull(),
		/** The network address that signed in. */
		address: text('address').notNull().default(''),
		createdAt: instant('created_at').notNull(),
		seenAt: instant('seen_at').notNull(),
		expiresAt: instant('expires_at').notNull()
	},
	(table) => [
		index('session_by_account').on(table.account),
		index('session_by_expiry').on(table.expiresAt)
	]
);

/** `lastDeviceCode` and `lastMember` are read and moved under the row's lock: no code twice. */
export const business = pgTable('business', {
	business: uuid('business').primaryKey(),
	name: text('name').notNull(),
	lastDeviceCode: text('last_device_code').notNull(),
	lastMember: integer('last_member').notNull(),
	claimedAt: instant('claimed_at').notNull()
});

export const branch = pgTable(
	'branch',
	{
		business: uuid('business')
			.notNull()
			.references(() => business.business),
		branch: uuid('branch').notNull(),
		createdAt: instant('created_at').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.branch] })]
);

export const member = pgTable(
	'member',
	{
		business: uuid('business')
			.notNull()
			.references(() => business.business),
		member: integer('member').notNull(),
		account: uuid('account')
			.notNull()
			.references(() => account.account),
		person: uuid('person').notNull(),
		role: text('role', { enum: ['owner'] }).notNull(),
		name: text('name').notNull(),
		createdAt: instant('created_at').notNull(),
		/** Ends the access of the member and of each device that he joined, never their past. */
		removedAt: instant('removed_at')
	},
	(table) => [
		primaryKey({ columns: [table.business, table.member] }),
		unique('member_once').on(table.business, table.account),
		index('member_by_account').on(table.account)
	]
);

/** A device keeps its code for ever; `removedAt` ends its access, never its past. */
export const device = pgTable(
	'device',
	{
		business: uuid('business').notNull(),
		code: text('code').notNull(),
		branch: uuid('branch').notNull(),
		member: integer('member').notNull(),
		sight: text('sight', { enum: ['office', 'counter'] }).notNull(),
		publicKey: bytes('public_key').notNull(),
		joinedAt: instant('joined_at').notNull(),
		/** The database's epoch then: a restored one may stand on a machine whose clock is behind. */
		joinedEpoch: integer('joined_epoch').notNull().default(0),
		removedAt: instant('removed_at'),
		/** The device whose numbers were used by two, and in whose place this one writes on. */
		heirOf: text('heir_of')
	},
	(table) => [
		primaryKey({ columns: [table.business, table.code] }),
		unique('device_key_once').on(table.business, table.publicKey),
		index('device_by_ancestor').on(table.business, table.heirOf),
		foreignKey({
			columns: [table.business, table.branch],
			foreignColumns: [branch.business, branch.branch]
		}),
		foreignKey({
			columns: [table.business, table.member],
			foreignColumns: [member.business, member.member]
		})
	]
);

/** An invite joins one device, as the member who made it. */
export const invite = pgTable(
	'invite',
	{
		business: uuid('business').notNull(),
		tokenHash: bytes('token_hash').notNull(),
		branch: uuid('branch').notNull(),
		member: integer('member').notNull(),
		sight: text('sight', { enum: ['office', 'counter'] }).notNull(),
		createdAt: instant('created_at').notNull(),
		expiresAt: instant('expires_at').notNull(),
		usedBy: text('used_by')
	},
	(table) => [
		primaryKey({ columns: [table.business, table.tokenHash] }),
		foreignKey({
			columns: [table.business, table.branch],
			foreignColumns: [branch.business, branch.branch]
		})
	]
);

/** What a device must sign to prove its key. Taken by deleting the row, so it works once. */
export const deviceNonce = pgTable(
	'device_nonce',
	{
		nonceHash: bytes('nonce_hash').primaryKey(),
		expiresAt: instant('expires_at').notNull()
	},
	(table) => [index('device_nonce_by_expiry').on(table.expiresAt)]
);

export const deviceToken = pgTable(
	'device_token',
	{
		business: uuid('business').notNull(),
		tokenHash: bytes('token_hash').notNull(),
		code: text('code').notNull(),
		expiresAt: instant('expires_at').notNull()
	},
	(table) => [
		primaryKey({ columns: [table.business, table.tokenHash] }),
		index('device_token_by_expiry').on(table.expiresAt),
		foreignKey({
			columns: [table.business, table.code],
			foreignColumns: [device.business, device.code]
		})
	]
);

/** Opens one document's socket once, for the device it was made for. */
export const ticket = pgTable(
	'ticket',
	{
		business: uuid('business').notNull(),
		tokenHash: bytes('token_hash').notNull(),
		code: text('code').notNull(),
		document: text('document').notNull(),
		/** The session that it was given to; null where the device's key proved it. */
		session: uuid('session'),
		expiresAt: instant('expires_at').notNull()
	},
	(table) => [
		primaryKey({ columns: [table.business, table.tokenHash] }),
		index('ticket_by_expiry').on(table.expiresAt),
		foreignKey({
			columns: [table.business, table.code],
			foreignColumns: [device.business, device.code]
		})
	]
);

/** Counters of the rate limits; the column names are those that rate-limiter-flexible writes. */
export const rateLimit = pgTable(
	'rate_limit',
	{
		key: text('key').primaryKey(),
		points: integer('points').notNull(),
		expire: timestamp('expire', { withTimezone: true, mode: 'date' })
	},
	(table) => [index('rate_limit_by_expiry').on(table.expire)]
);
