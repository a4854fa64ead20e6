import { integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';

/**
 * How many new facts a device brought on its last UTC day, by the relay's clock: of its own, and of
 * others after a restore. `business` is the person where it is a phone. Written under the feed's lock.
 */
export const deviceDay = pgTable(
	'device_day',
	{
		business: uuid('business').notNull(),
		code: text('code').notNull(),
		/** Days since 1970. */
		day: integer('day').notNull(),
		own: integer('own').notNull(),
		carried: integer('carried').notNull()
	},
	(table) => [primaryKey({ columns: [table.business, table.code] })]
);

/** How often a person answered a record on the last UTC day that he did, by whichever of his phones. */
export const recordAnswers = pgTable(
	'record_answers',
	{
		person: uuid('person').notNull(),
		h: text('h').notNull(),
		/** Days since 1970. */
		day: integer('day').notNull(),
		answers: integer('answers').notNull()
	},
	(table) => [primaryKey({ columns: [table.person, table.h] })]
);
