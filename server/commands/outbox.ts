import { connectDatabase, type Database } from '#server/database/connect.ts';
import { runningUrl, startEmbeddedPostgres } from '#server/database/embedded.ts';
import { parseEnvironment } from '#server/environment.ts';
import { outcomeOf, readOutbox, textOf, type LoggedMessage } from '#server/gateways/outbox.ts';

/** `npm run outbox`: the last messages to people, newest first, beside a running Daftar or without. */
const SHOWN_MAX = 50;

const environment = parseEnvironment(process.env);
if (environment.ok) await run(environment.value);
else complain(environment.error.sentence);

async function run(given: {
	readonly databaseUrl: string | undefined;
	readonly dataDir: string;
}): Promise<void> {
	await using running = new AsyncDisposableStack();
	try {
		const database = await connect(given, running);
		const messages = await readOutbox(database.orm, SHOWN_MAX);
		if (messages.length === 0) console.log('Nobody was written to yet.');
		for (const one of messages) console.log(written(one));
	} catch (fault) {
		complain(fault instanceof Error ? fault.message : String(fault));
	}
}

/** The database that runs; where none does, the one in the data folder is started for as long as this takes. */
async function connect(
	{ databaseUrl, dataDir }: { readonly databaseUrl: string | undefined; readonly dataDir: string },
	running: AsyncDisposableStack
): Promise<Database> {
	const first = connectDatabase(databaseUrl ?? runningUrl(dataDir), { connectionsMax: 1 });
	const fault = await first.sql`select 1`.then(
		() => undefined,
		(cause: unknown) => cause
	);
	if (fault === undefined) {
		running.defer(first.close);
		return first;
	}
	await first.close();
	if (databaseUrl !== undefined)
		throw new Error('The database of DATABASE_URL cannot be reached.', { cause: fault });
	const postgres = await startEmbeddedPostgres({ dataDir });
	running.defer(postgres.stop);
	const database = connectDatabase(postgres.url, { connectionsMax: 1 });
	running.defer(database.close);
	return database;
}

function written(one: LoggedMessage): string {
	const at = new Date(one.createdAt).toISOString();
	const subject = one.subject === null ? '' : `  ${plain(one.subject)}\n`;
	const head = `${at}  ${one.channel}  ${plain(one.recipient)}`;
	return `${head}\n${subject}  ${plain(textOf(one))}\n  ${plain(outcomeOf(one))}\n`;
}

/** What people wrote moves no cursor of a terminal. */
function plain(text: string): string {
	return text.replace(/[\p{Cc}]/gu, ' ');
}

function complain(sentence: string): void {
	process.exitCode = 1;
	console.error(sentence);
}
