import { bigint, pgTable, uuid } from 'drizzle-orm/pg-core';

/** Up to which number of a scope's feed the bridge between shops and customers has worked. */
export const bridgeCursor = pgTable('bridge_cursor', {
	scope: uuid('scope').primaryKey(),
	s: bigint('s', { mode: 'number' }).notNull()
});
