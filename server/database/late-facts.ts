import { bigint, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

/** What a removed device wrote before and sent after: the owner takes it in, or declines. */
export const lateFact = pgTable(
	'late_fact',
	{
		business: uuid('business').notNull(),
		/** The removed device. */
		code: text('code').notNull(),
		n: bigint('n', { mode: 'number' }).notNull(),
		text: text('text').notNull(),
		receivedAt: instant('received_at').notNull(),
		state: text('state', { enum: ['waiting', 'taken', 'declined'] }).notNull(),
		/** When the owner decided; null while it waits. */
		decidedAt: instant('decided_at'),
		/** Why it could not be taken in when the owner wanted it. */
		reason: text('reason')
	},
	(table) => [
		primaryKey({ columns: [table.business, table.code, table.n] }),
		index('late_fact_by_state').on(table.business, table.state)
	]
);
