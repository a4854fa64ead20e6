import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { afterNack, mayPass, NACK_REASONS, type NackReason } from '#sync/nack-reason.ts';
import type { RefusalOfFact } from './submission.ts';

interface SpecRow {
	readonly reasons: readonly string[];
	readonly then: string;
	readonly mayPass: boolean;
}

/** The rows of the SPEC's table of reasons: reason, of what, what then, whether it may pass. */
async function specRows(): Promise<readonly SpecRow[]> {
	const spec = await readFile(new URL('SPEC.md', import.meta.url), 'utf8');
	return spec
		.split('\n')
		.filter((line) => line.startsWith('| `'))
		.map((line) => line.split('|').map((cell) => cell.trim()))
		.map(([, reasons = '', , then = '', passing = '']) => ({
			reasons: namesIn(reasons),
			then: namesIn(then)[0] ?? '',
			mayPass: passing === 'yes'
		}));
}

function namesIn(cell: string): readonly string[] {
	return [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
}

/** Compiles only while every reason that the relay gives is one that a device knows. */
function known(reason: RefusalOfFact): NackReason {
	return reason;
}

it('[SYNC-10] [RELAY-50] every reason stands in one table, and means to a device what the SPEC says', async () => {
	const rows = await specRows();
	const said = rows.flatMap((row) => row.reasons.map((reason) => ({ ...row, reason })));
	expect(said.map(({ reason }) => reason).sort()).toEqual(Object.keys(NACK_REASONS).sort());
	for (const { reason, then, mayPass: passing } of said) {
		expect([reason, afterNack(reason), mayPass(reason)]).toEqual([reason, then, passing]);
	}
	expect(known('tooMany')).toBe('tooMany');
});

it('[SYNC-10] a reason that nobody knows is one against the fact', () => {
	expect([afterNack('toString'), mayPass('toString')]).toEqual(['apart', false]);
});
