import type { Environment } from '#server/environment.ts';
import { findSecret, keyIdOf } from '#server/secret.ts';
import { runCommand, type CommandRun } from './keeping/command.ts';
import { openBeside, openOrMake } from './keeping/open-database.ts';
import { putBack } from './keeping/put-back.ts';
import { checkRestore, restoreBackup } from './keeping/restore-backup.ts';

const OTHER_SECRET = '--other-secret';
const PUT_BACK = '--put-back';
const AFTERWARDS =
	'Everybody signs in anew, and open invites are void. Devices and members that were removed since then have their access again: owners remove them anew. Customers who connected to a shop since then are connected again once a device of the shop and their phone have both been online; until then both screens say that it is over. Once devices have been online, npm run verify names those who have access although a device knows of their removal, and the connections of which one side alone knows.';

/**
 * `npm run restore -- FILE [--other-secret]`: a backup into an empty DATA_DIR or database. `npm run restore
 * -- --put-back`: tells a database that was put back by other means, as a copy of a disk or a promoted
 * standby, that it is not the newest, while no server runs on it.
 */
await runCommand(restore);

async function restore(run: CommandRun): Promise<void> {
	const { args } = run;
	const files = args.filter((arg) => !arg.startsWith('-'));
	const [file] = files;
	const isKnown = args.every(
		(arg) => files.includes(arg) || [OTHER_SECRET, PUT_BACK].includes(arg)
	);
	if (isKnown && args.length === 1 && args[0] === PUT_BACK) return declarePutBack(run);
	if (!isKnown || file === undefined || files.length > 1 || args.includes(PUT_BACK)) {
		throw new Error(`Say what: npm run restore -- FILE [${OTHER_SECRET}], or -- ${PUT_BACK}`);
	}
	return restoreFile(run, file);
}

async function restoreFile(
	{ environment, args, running }: CommandRun,
	file: string
): Promise<void> {
	const parts = {
		clock: Date.now,
		secret: await secretOf(environment),
		isOtherSecret: args.includes(OTHER_SECRET)
	};
	// Before anything is made.
	const checked = await checkRestore(file, parts);
	const database = await openOrMake(environment, running);
	const { rows, epoch, madeAt } = await restoreBackup(database, checked, parts);
	console.log(
		`Restored ${rows.toLocaleString('en')} rows as they were at ${new Date(madeAt).toISOString()} (epoch ${String(epoch)}).`
	);
	console.log('Start Daftar: devices hand in what was written since.');
	console.log(AFTERWARDS);
}

async function declarePutBack({ environment, running }: CommandRun): Promise<void> {
	const database = await openBeside(environment, running, 1);
	if (database.isBeside && environment.databaseUrl === undefined) {
		throw new Error('Daftar is running: stop it first.');
	}
	const epoch = await putBack(database, Date.now());
	console.log(`The database is in epoch ${String(epoch)} now: start every server.`);
	console.log(AFTERWARDS);
}

async function secretOf({ secret: given, dataDir }: Environment): Promise<string | undefined> {
	const secret = await findSecret({ given, dataDir });
	return secret === undefined ? undefined : keyIdOf(secret);
}
