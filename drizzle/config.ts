import { defineConfig } from 'drizzle-kit';

export default defineConfig({
	dialect: 'postgresql',
	schema: ['./server/database/accounts.ts', './server/database/journal.ts'],
	out: './drizzle'
});
