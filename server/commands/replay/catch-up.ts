import { setTimeout as sleep } from 'node:timers/promises';
import { only } from '#storage/device-store.ts';
import { readMeta, type FeedPlace } from '#state/meta.ts';
import type { Player } from './player.ts';

const POLL_MS = 4;
const WAKE_MS = 100;
/** A month's facts of all devices take seconds; who is not there by then will not come. */
const WAIT_MS_MAX = 15_000;

/**
 * Waits until the server has every fact of these devices and each of them has come to the feed's
 * end. Nobody writes meanwhile. Throws where something stands in the way that does not pass.
 */
export async function waitUntilCaughtUp(
	players: readonly Player[],
	checkFaults: () => void
): Promise<FeedPlace> {
	const startedAt = performance.now();
	let wokenAt = startedAt;
	for (;;) {
		checkFaults();
		for (const { link } of players) checkLink(link.status);
		const end = await endReached(players);
		if (end !== undefined) return end;
		const now = performance.now();
		if (now - startedAt > WAIT_MS_MAX) throw new Error(`not caught up: ${await report(players)}`);
		if (now - wokenAt > WAKE_MS) {
			wokenAt = now;
			for (const { link } of players) link.wake();
		}
		await sleep(POLL_MS);
	}
}

function checkLink({ halted, refused }: Player['link']['status']): void {
	if (halted !== undefined) throw new Error(`a device stopped for good: ${halted}`);
	if (refused.length > 0) throw new Error(`the server refused ${JSON.stringify(refused[0])}`);
}

/** The feed's end, where all of them are there and keep nothing back. */
async function endReached(players: readonly Player[]): Promise<FeedPlace | undefined> {
	const states = await Promise.all(players.map(stateOf));
	const [first, ...others] = states;
	if (first?.place === undefined || states.some(({ unsent }) => unsent.length > 0)) return undefined;
	const { epoch, s } = first.place;
	if (others.some(({ place }) => place?.epoch !== epoch || place.s !== s)) return undefined;
	// They may all be behind alike: only the server knows where its feed ends.
	const answer = await players[0]?.http.feed(first.place);
	const isEnd = answer?.ok === true && answer.value.kind === 'page' && answer.value.last === s;
	return isEnd ? first.place : undefined;
}

interface State {
	readonly place: FeedPlace | undefined;
	readonly unsent: readonly string[];
}

async function stateOf({ store }: Player): Promise<State> {
	return store.read(['meta', 'journal'], async (rows) => ({
		place: await readMeta(rows, 'feed'),
		unsent: (await rows.find('journal', only('sent', 0))).map(({ id }) => id)
	}));
}

async function report(players: readonly Player[]): Promise<string> {
	const states = await Promise.all(players.map(stateOf));
	const ends = await Promise.all(
		players.map(({ http }, of) => http.feed(states[of]?.place ?? { epoch: 0, s: 0 }))
	);
	return JSON.stringify(
		states.map((state, of) => ({ ...state, end: ends[of], status: players[of]?.link.status }))
	);
}
