import { setImmediate as turn } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { codeOf } from '#server/database/data-folder.ts';
import type { TableForm } from './backup-form.ts';

/** All rows of a table in PostgreSQL's text form, to be read to the end. */
export async function* copyOut(
	tx: Sql,
	{ name, columns }: TableForm
): AsyncGenerator<Buffer, undefined> {
	const rows = await tx`copy ${tx(name)} (${tx(columns)}) to stdout`.readable();
	yield* rows as AsyncIterable<Buffer>;
	// Where the end came together with more than the reader could take, the driver has stopped
	// listening to the connection, and nobody asks it to go on.
	rows._read(0);
	return undefined;
}

/** Rows in that form into a table; rejects where the database does not take them all. */
export async function copyIn(
	tx: Sql,
	{ name, columns }: TableForm,
	chunks: AsyncIterable<Buffer>
): Promise<void> {
	const into = await tx`copy ${tx(name)} (${tx(columns)}) from stdin`.writable();
	let fault: unknown;
	into.on('error', (cause: unknown) => {
		fault = cause;
	});
	const finished = new Promise<void>((resolve) => {
		into.on('finish', resolve);
	});
	for await (const chunk of chunks) {
		const failed = await new Promise<unknown>((resolve) => into.write(chunk, resolve));
		if (failed !== undefined && failed !== null) throw refused(name, fault ?? failed);
	}
	into.end();
	// The driver forgets an answer that refuses the last rows; what is asked behind them is refused too.
	await turn();
	const asked = tx`select 1`.then(
		() => undefined,
		(cause: unknown) => cause
	);
	const outcome = await Promise.race([finished.then(() => undefined), asked]);
	const cause = fault ?? outcome;
	if (cause !== undefined) throw refused(name, cause);
}

function refused(name: string, cause: unknown): Error {
	const said = cause instanceof Error ? cause.message : String(cause);
	const reason = codeOf(cause) === '53100' ? 'there is no room left on its disk' : said;
	return new Error(`The database did not take table ${name}: ${reason}. Nothing was kept.`, {
		cause
	});
}
