import { expect, it } from 'vitest';
import { SyncStatus } from './sync-status.svelte.ts';
import { atRiskOf, isTakenOut } from './unsent-at-risk.ts';

const NOW = Date.parse('2026-11-20T10:00:00Z');
const HOUR_MS = 3_600_000;
const ONLINE = {
	state: 'online',
	lastContactAt: NOW,
	clockOffMs: 0,
	halted: undefined
} as const;

function status(): SyncStatus {
	const of = new SyncStatus(() => NOW);
	of.take(ONLINE);
	return of;
}

it('[UNSENT-1] what was not taken is at no greater risk by signing out, and is not said to wait', () => {
	const of = status();
	of.refused = [{ id: 'A-1', reason: 'badBody' }];
	expect(of).toMatchObject({ unsent: 0, apart: 1, tone: 'apart' });
	expect(atRiskOf(of)).toEqual({ count: 0, minor: 0n });
	of.unsent = 2;
	of.unsentMinor = 650n;
	of.oldestAt = NOW;
	expect(of.tone).toBe('waiting');
	expect(atRiskOf(of)).toEqual({ count: 2, minor: 650n });
});

it('[UNSENT-1] a removed device waits for nothing', () => {
	const of = status();
	of.unsent = 3;
	of.unsentMinor = 900n;
	of.take({ ...ONLINE, state: 'offline', halted: 'rights' });
	expect(isTakenOut(of)).toBe(true);
	expect(atRiskOf(of)).toEqual({ count: 0, minor: 0n });
	of.take({ ...ONLINE, state: 'offline', halted: 'unknown' });
	expect([isTakenOut(of), atRiskOf(of).count]).toEqual([false, 0]);
	// The next page of it may have no network: what was left to the owner says so.
	const later = status();
	later.refused = [
		{ id: 'A-1', reason: 'withOwner' },
		{ id: 'A-2', reason: 'conflict' }
	];
	expect([isTakenOut(later), later.apart]).toEqual([true, 1]);
});

it('[UNSENT-2] the sign is quiet where all was sent, and amber for what waits longer than a day', () => {
	const of = status();
	expect(of.tone).toBe('quiet');
	of.unsent = 1;
	of.oldestAt = NOW - 24 * HOUR_MS;
	expect(of.tone).toBe('waiting');
	of.oldestAt = NOW - 24 * HOUR_MS - 1;
	expect(of.tone).toBe('late');
	// Nothing of a shop that is not signed up is late.
	of.take({ ...ONLINE, state: 'notJoined' });
	expect(of.tone).toBe('waiting');
});
