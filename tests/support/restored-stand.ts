import { checkRestore, restoreBackup } from '#server/commands/keeping/restore-backup.ts';
import { writeBackup, type Backup } from '#server/commands/keeping/write-backup.ts';
import { connectDatabase } from '#server/database/connect.ts';
import { keyIdOf } from '#server/secret.ts';
import { createTestDatabase } from './database.ts';
import { createHostileStand, STAND_SECRET, type HostileStand } from './hostile-stand.ts';

const secret = keyIdOf(STAND_SECRET);

/** Writes a backup of the stand's database, as the command does beside a relay that runs. */
export async function backUpTo(
	file: string,
	{ database, clock }: Pick<HostileStand, 'database' | 'clock'>
): Promise<Backup> {
	const { sql, close } = connectDatabase(database.url, { connectionsMax: 1 });
	const backup = await writeBackup(file, { sql, clock: () => clock.now, secret });
	await close();
	return backup;
}

/** Another stand comes up on what the backup holds, when the one before it is lost, perhaps its secret too. */
export async function restoredStand(
	file: string,
	clock: HostileStand['clock'],
	{ isOtherSecret = false } = {}
): Promise<HostileStand> {
	const database = await createTestDatabase();
	const parts = {
		clock: () => clock.now,
		secret: isOtherSecret ? undefined : secret,
		isOtherSecret
	};
	await restoreBackup(database, await checkRestore(file, parts), parts);
	return createHostileStand({ database, clock });
}
