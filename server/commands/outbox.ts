import { parseEnvironment } from '#server/environment.ts';
import { outcomeOf, readOutbox, textOf, type LoggedMessage } from '#server/gateways/outbox.ts';
import { openBeside } from './keeping/open-database.ts';

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
		const database = await openBeside(given, running);
		const messages = await readOutbox(database.orm, SHOWN_MAX);
		if (messages.length === 0) console.log('Nobody was written to yet.');
		for (const one of messages) console.log(written(one));
	} catch (fault) {
		complain(fault instanceof Error ? fault.message : String(fault));
	}
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
