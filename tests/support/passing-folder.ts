import { mkdtemp, statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** Where Linux keeps files in memory. */
const MEMORY = '/dev/shm';
/** More than the databases of a run ever take at once; a container may have as good as nothing. */
const ROOM_BYTES = 2_000_000_000;

/**
 * A new folder for what need not outlive the machine: in memory where there is room, else among the
 * temporary files. A database is some thousand files, which cost a disk ten times as much.
 */
export async function makePassingFolder(prefix: string): Promise<string> {
	const disk = path.join(os.tmpdir(), prefix);
	const room = await statfs(MEMORY).catch(() => undefined);
	if (room === undefined || room.bavail * room.bsize < ROOM_BYTES) return mkdtemp(disk);
	return mkdtemp(path.join(MEMORY, prefix)).catch(() => mkdtemp(disk));
}
