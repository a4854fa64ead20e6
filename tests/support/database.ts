import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import { connectDatabase, type Database } from '#server/database/connect.ts';

export interface TestDatabase extends Database {
	/** For `connectDatabase`, where a test wants connections of its own. */
	readonly url: string;
}

/** A fresh database with all tables and no rows, in a real PostgreSQL that the test files share. */
export async function createTestDatabase(): Promise<TestDatabase> {
	const name = `test_${randomUUID().replaceAll('-', '')}`;
	const url = await ask('POST', name);
	const database = connectDatabase(url, { connectionsMax: 5 });
	const close = async (): Promise<void> => {
		await database.close();
		await ask('DELETE', name);
	};
	return { ...database, url, close };
}

async function ask(method: string, name: string): Promise<string> {
	const answer = await new Promise<string>((resolve, reject) => {
		// A line that is kept may be given up by the broker as it is asked for the next one.
		const asked = { socketPath: inject('databaseBroker'), method, path: `/${name}`, agent: false };
		request(asked, (response) => {
			text(response).then((body) => {
				if (response.statusCode === 200) resolve(body);
				else reject(new Error(`no test database: ${body}`));
			}, reject);
		})
			.on('error', reject)
			.end();
	});
	return answer;
}
