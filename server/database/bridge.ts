import { bigint, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';

/** Up to which number of a scope's feed the bridge between shops and customers has worked. */
export const bridgeCursor = pgTable('bridge_cursor', {
	scope: uuid('scope').primaryKey(),
	s: bigint('s', { mode: 'number' }).notNull()
});

/**
 * What could not be carried over, alone: a fact by its number in the feed. The bridge passes it, and tries it
 * again after a day, two, four, and so on.
 */
export const bridgePassed = pgTable(
	'bridge_passed',
	{
		scope: uuid('scope').notNull(),
		s: bigint('s', { mode: 'number' }).notNull(),
		/** What broke, in its own words. */
		reason: text('reason').notNull(),
		tries: integer('tries').notNull().default(1),
		/** The UTC day, since 1970, on which it is tried again. */
		dueDay: integer('due_day').notNull()
	},
	(table) => [
		primaryKey({ columns: [table.scope, table.s] }),
		index('bridge_passed_by_day').on(table.dueDay)
	]
);
