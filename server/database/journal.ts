import { sql } from 'drizzle-orm';
import {
	bigint,
	boolean,
	customType,
	date,
	index,
	integer,
	jsonb,
	numeric,
	pgTable,
	primaryKey,
	text,
	unique,
	uniqueIndex,
	uuid,
	type PgBigInt53BuilderInitial
} from 'drizzle-orm/pg-core';
import { bytes, instant } from './columns.ts';

/** A device's or a relay's code, ordered as the facts are: by its bytes, whatever the machine's language. */
const code = customType<{ data: string }>({ dataType: () => 'text collate "C"' });

function whole<Name extends string>(name: Name): PgBigInt53BuilderInitial<Name> {
	return bigint(name, { mode: 'number' });
}

/** The epochs of this database; the highest is the current one. */
export const databaseEpoch = pgTable('database_epoch', {
	epoch: integer('epoch').primaryKey(),
	startedAt: instant('started_at').notNull()
});

/**
 * How far the feed of a scope had come in an epoch when a restore ended it: what a device had beyond
 * that, this database does not have. Of a scope with no row nothing had come.
 */
export const epochEnd = pgTable(
	'epoch_end',
	{
		business: uuid('business').notNull(),
		epoch: integer('epoch').notNull(),
		s: whole('s').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.epoch] })]
);

/**
 * Up to which number of a scope's feed, in which epoch, a backup holds it that was read back whole. Of
 * a scope with no row none does.
 */
export const backupMark = pgTable('backup_mark', {
	business: uuid('business').primaryKey(),
	epoch: integer('epoch').notNull(),
	s: whole('s').notNull(),
	/** When the backup was made. */
	at: instant('at').notNull()
});

/**
 * The counters of a scope (a business, or a person: then `business` holds the person's id, here and
 * in the tables of documents and facts). Whoever writes into a scope holds the lock of this row, and
 * of several scopes in the order of their ids, before any other lock on rows of these tables.
 */
export const feedHead = pgTable('feed_head', {
	business: uuid('business').primaryKey(),
	/** The feed's last number. */
	s: whole('s').notNull().default(0),
	/** The last of the relay's own facts, and its stamp: the next one is no earlier. */
	relayN: whole('relay_n').notNull().default(0),
	relayWall: instant('relay_wall').notNull().default(0),
	/** The latest stamp by which a fact of a device counts: a clock fact's is later. */
	topWall: instant('top_wall').notNull().default(0)
});

/** The last update of a document, and the Yjs client by which the relays of one epoch write into it. */
export const documentHead = pgTable(
	'document_head',
	{
		business: uuid('business').notNull(),
		document: text('document').notNull(),
		sequence: whole('sequence').notNull().default(0),
		/** Up to which update the small ones were put together. */
		compacted: whole('compacted').notNull().default(0),
		relayClient: whole('relay_client').notNull().default(0),
		relayClock: integer('relay_clock').notNull().default(0),
		relayEpoch: integer('relay_epoch').notNull().default(0)
	},
	(table) => [
		primaryKey({ columns: [table.business, table.document] }),
		index('document_head_to_compact')
			.on(table.business, table.document)
			.where(sql`sequence > compacted`)
	]
);

/** What a document is made of, in the order in which it came: Yjs updates of at most 32 kB or one fact. */
export const documentUpdate = pgTable(
	'document_update',
	{
		business: uuid('business').notNull(),
		document: text('document').notNull(),
		sequence: whole('sequence').notNull(),
		update: bytes('update').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.document, table.sequence] })]
);

/**
 * Ranges of facts that are told at once. Ten years of a busy shop have 7,000; of a device whose numbers
 * do not follow each other each fact is one. Of what is not said a device hands in again what it holds,
 * and hears that it is known.
 */
export const HAVE_RANGES_MAX = 50_000;

/** Every fact, once, as it was written. Rows are added and never changed. */
export const fact = pgTable(
	'fact',
	{
		business: uuid('business').notNull(),
		code: code('code').notNull(),
		n: whole('n').notNull(),
		kind: text('kind').notNull(),
		/** Null where the fact belongs to no branch. */
		branch: uuid('branch'),
		/** Null where it came by no document. */
		document: text('document'),
		wall: instant('wall').notNull(),
		counter: integer('counter').notNull(),
		onDay: date('on_day').notNull(),
		member: integer('member').notNull(),
		text: text('text').notNull(),
		/** The first 8 bytes of the text's SHA-256, as a signed number so that `bit_xor` takes it. */
		digest: bigint('digest', { mode: 'bigint' }).notNull(),
		/** Its place in the business's feed: gapless, in the order of commits. */
		s: whole('s').notNull(),
		/** After a restore: the code of the device that handed it in for its author. */
		carriedBy: text('carried_by'),
		/** Of a fact that an heir issued again: the id and the digest that it had first. */
		wasCode: code('was_code'),
		wasN: whole('was_n'),
		firstDigest: bigint('first_digest', { mode: 'bigint' })
	},
	(table) => [
		primaryKey({ columns: [table.business, table.code, table.n] }),
		unique('fact_feed').on(table.business, table.s),
		uniqueIndex('fact_issued_again')
			.on(table.business, table.wasCode, table.wasN, table.firstDigest)
			.where(sql`was_code is not null`),
		index('fact_people')
			.on(table.business, table.s)
			.where(sql`kind in ('member', 'device')`),
		index('fact_carried')
			.on(table.business, table.s)
			.where(sql`carried_by is not null`)
	]
);

/** Projection: when a fact counts that was stamped ahead, by the clock fact of the lowest id that speaks of it. */
export const clock = pgTable(
	'clock',
	{
		business: uuid('business').notNull(),
		code: code('code').notNull(),
		n: whole('n').notNull(),
		/** The clock fact. */
		clockCode: code('clock_code').notNull(),
		clockN: whole('clock_n').notNull(),
		wall: instant('wall').notNull(),
		counter: integer('counter').notNull(),
		onDay: date('on_day').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.code, table.n] })]
);

/** A second text for a known id: kept apart, never in a document, never counted. */
export const fork = pgTable(
	'fork',
	{
		business: uuid('business').notNull(),
		code: code('code').notNull(),
		n: whole('n').notNull(),
		digest: bigint('digest', { mode: 'bigint' }).notNull(),
		document: text('document').notNull(),
		text: text('text').notNull(),
		receivedAt: instant('received_at').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.code, table.n, table.digest] })]
);

/** Projection: products as their facts left them. `stamps`: by field `[wall, counter, fact id]`. */
export const product = pgTable(
	'product',
	{
		business: uuid('business').notNull(),
		product: text('product').notNull(),
		fields: jsonb('fields').notNull(),
		stamps: jsonb('stamps').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.product] })]
);

/** Projection: customers by ledger, in the same form. */
export const customer = pgTable(
	'customer',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		fields: jsonb('fields').notNull(),
		stamps: jsonb('stamps').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.ledger] })]
);

/** Projection: the business's settings, all in one row. */
export const setting = pgTable('setting', {
	business: uuid('business').primaryKey(),
	fields: jsonb('fields').notNull(),
	stamps: jsonb('stamps').notNull()
});

/** What sales and returns have in common. */
const receiptColumns = {
	business: uuid('business').notNull(),
	code: code('code').notNull(),
	n: whole('n').notNull(),
	branch: uuid('branch').notNull(),
	onDay: date('on_day').notNull(),
	happenedAt: instant('happened_at').notNull(),
	member: integer('member').notNull(),
	receipt: text('receipt').notNull(),
	totalMinor: whole('total_minor').notNull(),
	roundingMinor: whole('rounding_minor').notNull()
};

const lineColumns = {
	business: uuid('business').notNull(),
	code: code('code').notNull(),
	n: whole('n').notNull(),
	line: integer('line').notNull(),
	product: text('product'),
	name: text('name').notNull(),
	quantityThousandths: whole('quantity_thousandths').notNull(),
	unitPriceMinor: whole('unit_price_minor').notNull(),
	totalMinor: whole('total_minor').notNull(),
	/** `[side, class, [[component, rate in millionths, minor units], …]]` as sold. */
	tax: jsonb('tax')
};

export const sale = pgTable(
	'sale',
	{ ...receiptColumns, changeMinor: whole('change_minor').notNull() },
	(table) => [
		primaryKey({ columns: [table.business, table.code, table.n] }),
		index('sale_by_day').on(table.business, table.branch, table.onDay),
		index('sale_by_receipt').on(table.business, table.receipt)
	]
);

export const saleLine = pgTable('sale_line', lineColumns, (table) => [
	primaryKey({ columns: [table.business, table.code, table.n, table.line] })
]);

export const saleReturn = pgTable(
	'sale_return',
	{ ...receiptColumns, saleCode: code('sale_code'), saleN: whole('sale_n') },
	(table) => [
		primaryKey({ columns: [table.business, table.code, table.n] }),
		index('sale_return_by_day').on(table.business, table.branch, table.onDay),
		index('sale_return_by_sale').on(table.business, table.saleCode, table.saleN),
		index('sale_return_by_receipt').on(table.business, table.receipt)
	]
);

export const returnLine = pgTable(
	'return_line',
	{
		...lineColumns,
		/** The line of the sale, from 0; −1 where the sale is not known. */
		saleLine: integer('sale_line').notNull(),
		isDamaged: boolean('is_damaged').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.code, table.n, table.line] })]
);

/** What was handed over for a sale, or back for a return. */
export const tender = pgTable(
	'tender',
	{
		business: uuid('business').notNull(),
		code: code('code').notNull(),
		n: whole('n').notNull(),
		row: integer('row').notNull(),
		kind: text('kind').notNull(),
		minor: whole('minor').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.code, table.n, table.row] })]
);

/** Projection: the level of a product in a branch, in thousandths. */
export const stock = pgTable(
	'stock',
	{
		business: uuid('business').notNull(),
		branch: uuid('branch').notNull(),
		product: text('product').notNull(),
		thousandths: numeric('thousandths').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.branch, table.product] })]
);

/** Projection: each signed record once, whatever carried it. */
export const record = pgTable(
	'record',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		/** H, 43 characters of base64url. */
		h: text('h').notNull(),
		code: code('code').notNull(),
		n: whole('n').notNull(),
		kind: text('kind').notNull(),
		currency: text('currency').notNull(),
		exponent: integer('exponent').notNull(),
		amount: whole('amount').notNull(),
		occurredAt: instant('occurred_at').notNull(),
		onDay: date('on_day').notNull(),
		record: uuid('record').notNull(),
		/** The H that it reverses or lowers. */
		ref: text('ref'),
		/** When it falls due. */
		dueAt: instant('due_at'),
		receipt: text('receipt'),
		note: text('note'),
		/** The carrying fact's stamp: of several that carry one record, the first in fact order names it. */
		wall: instant('wall').notNull(),
		counter: integer('counter').notNull()
	},
	(table) => [
		primaryKey({ columns: [table.business, table.ledger, table.h] }),
		index('record_by_hash').on(table.business, table.h)
	]
);

/** Where a fact names no one ledger. */
export const NO_LEDGER = '00000000-0000-0000-0000-000000000000';

/**
 * Projection: which facts say something of a ledger beside its records; of no one ledger, the zero
 * UUID. A checkpoint carries these facts whole, and a ledger's balance is folded with them.
 */
export const ledgerFact = pgTable(
	'ledger_fact',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		code: code('code').notNull(),
		n: whole('n').notNull(),
		kind: text('kind').notNull()
	},
	(table) => [
		primaryKey({ columns: [table.business, table.ledger, table.code, table.n] }),
		index('ledger_fact_by_id').on(table.business, table.code, table.n)
	]
);

/** Projection: claims by their ids, under each fact that carries one: an heir's, or a forger's under another's id. */
export const claim = pgTable(
	'claim',
	{
		business: uuid('business').notNull(),
		claim: uuid('claim').notNull(),
		code: code('code').notNull(),
		n: whole('n').notNull(),
		h: text('h').notNull(),
		way: text('way').notNull(),
		counter: whole('counter')
	},
	(table) => [
		primaryKey({ columns: [table.business, table.claim, table.code, table.n] }),
		index('claim_by_record').on(table.business, table.h)
	]
);

/** Projection: the latest set of codes of a ledger, kind and currency; `fields` as the fact has them. */
export const sheet = pgTable(
	'sheet',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		kind: text('kind').notNull(),
		currency: text('currency').notNull(),
		exponent: integer('exponent').notNull(),
		fields: jsonb('fields').notNull(),
		wall: instant('wall').notNull(),
		code: code('code').notNull(),
		n: whole('n').notNull()
	},
	(table) => [
		primaryKey({
			columns: [table.business, table.ledger, table.kind, table.currency, table.exponent]
		})
	]
);

/** Projection: what a ledger comes to in one currency; the letters of confirmation.md section 7. */
export const balance = pgTable(
	'balance',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		currency: text('currency').notNull(),
		exponent: integer('exponent').notNull(),
		confirmed: numeric('confirmed').notNull(),
		waiting: numeric('waiting').notNull(),
		credited: numeric('credited').notNull(),
		disputed: numeric('disputed').notNull(),
		total: numeric('total').notNull(),
		/** When the latest of its records happened. */
		lastAt: instant('last_at').notNull(),
		/** Whether no record names another or opens the ledger: then a new record only adds to the sums. */
		isPlain: boolean('is_plain').notNull(),
		/** Else: whether what was said of records that had not come is all among the early names. */
		hasNames: boolean('has_names').notNull().default(false)
	},
	(table) => [
		primaryKey({ columns: [table.business, table.ledger, table.currency, table.exponent] })
	]
);

/**
 * Projection: records that had not come when something named them, whether a record, a list, a verdict
 * or an answer. One that is not among them only adds to its ledger's sums.
 */
export const earlyName = pgTable(
	'early_name',
	{
		business: uuid('business').notNull(),
		ledger: uuid('ledger').notNull(),
		h: text('h').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.ledger, table.h] })]
);

/** Projection: what a branch's business day came to. */
export const dayTotal = pgTable(
	'day_total',
	{
		business: uuid('business').notNull(),
		branch: uuid('branch').notNull(),
		onDay: date('on_day').notNull(),
		salesCount: numeric('sales_count').notNull(),
		salesMinor: numeric('sales_minor').notNull(),
		returnsCount: numeric('returns_count').notNull(),
		returnsMinor: numeric('returns_minor').notNull(),
		cashInMinor: numeric('cash_in_minor').notNull(),
		cashOutMinor: numeric('cash_out_minor').notNull(),
		accountMinor: numeric('account_minor').notNull(),
		accountBackMinor: numeric('account_back_minor').notNull(),
		gaveMinor: numeric('gave_minor').notNull(),
		gotMinor: numeric('got_minor').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.branch, table.onDay] })]
);
