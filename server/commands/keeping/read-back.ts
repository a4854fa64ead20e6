import type { End } from './backup-form.ts';
import { checkRestore } from './restore-backup.ts';

interface Writing {
	/** Names the secret that it was made with. */
	readonly secret: string;
	readonly signal?: AbortSignal;
}

/**
 * KEEP-10. Reads a backup that was just written from end to end, as a restore does first, and compares
 * it with what the database gave. Throws one sentence where a restore could not take it.
 */
export async function mustReadBack(
	file: string,
	{ secret, signal }: Writing,
	written: End['tables']
): Promise<void> {
	try {
		const { sums } = await checkRestore(file, { secret, isOtherSecret: false }, signal);
		const names = Object.keys(written);
		const isSame = names.every((name) => {
			const [there, here] = [sums.get(name), written[name]];
			return there?.rows === here?.rows && there?.digest === here?.digest;
		});
		if (isSame && sums.size === names.length) return;
	} catch (cause) {
		if (signal?.aborted === true) throw stopped(cause);
		throw new Error(NOT_AS_WRITTEN, { cause });
	}
	throw new Error(NOT_AS_WRITTEN);
}

const NOT_AS_WRITTEN =
	'The backup does not read back as it was written. Nothing was kept: take another disk.';

function stopped(cause: unknown): Error {
	return Object.assign(new Error('stopped', { cause }), { code: 'ABORT_ERR' });
}
