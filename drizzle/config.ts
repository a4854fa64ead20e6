import { defineConfig } from 'drizzle-kit';

export default defineConfig({
	dialect: 'postgresql',
	schema: [
		'./server/database/accounts.ts',
		'./server/database/allowance.ts',
		'./server/database/bridge.ts',
		'./server/database/journal.ts',
		'./server/database/late-facts.ts',
		'./server/database/ledgers.ts',
		'./server/database/messages.ts',
		'./server/database/persons.ts'
	],
	out: './drizzle'
});
