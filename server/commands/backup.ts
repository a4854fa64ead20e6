import type { Sql } from 'postgres';
import { keepMarks, type BackupReach } from './keeping/backup-marks.ts';
import { nameSecret } from './keeping/backup-secret.ts';
import { megabytes, runCommand, type CommandRun } from './keeping/command.ts';
import { openBeside } from './keeping/open-database.ts';
import { writeBackup } from './keeping/write-backup.ts';

/**
 * `npm run backup -- FILE`: everything but the secret into one file, beside a running Daftar or without.
 * It is read back; then devices may let go what it holds of theirs.
 */
await runCommand(backup);

async function backup({ environment, args, running, signal }: CommandRun): Promise<void> {
	const [file, ...more] = args;
	if (file === undefined || file === '' || file.startsWith('-') || more.length > 0) {
		throw new Error('Say where to: npm run backup -- FILE');
	}
	const { databaseUrl, dataDir, secret: given } = environment;
	const { sql } = await openBeside({ databaseUrl, dataDir }, running);
	const secret = await nameSecret(sql, { given, dataDir });
	const startedAt = Date.now();
	const { tables, rows, bytes, reach } = await writeBackup(file, {
		sql,
		clock: Date.now,
		secret,
		signal
	});
	const seconds = ((Date.now() - startedAt) / 1000).toLocaleString('en');
	console.log(
		`Saved ${rows.toLocaleString('en')} rows of ${String(tables)} tables in ${file}, and read them back (${megabytes(bytes)}, ${seconds} s).`
	);
	await tell(sql, reach);
	console.log(
		`The secret (${secret}) is not in it: keep DATA_DIR/secret or DAFTAR_SECRET in another place.`
	);
}

/** The file is good whatever becomes of this: devices then keep all they wrote until the next backup. */
async function tell(sql: Sql, reach: BackupReach): Promise<void> {
	const isTold = await keepMarks(sql, reach).catch(() => false);
	if (!isTold) console.error('The database was not told of it: devices keep all that they wrote.');
}
