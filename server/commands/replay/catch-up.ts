import { setTimeout as sleep } from 'node:timers/promises';
import { only } from '#storage/device-store.ts';
import { readMeta, type FeedPlace } from '#state/meta.ts';
import type { Player } from './player.ts';

const POLL_MS = 4;
const WAKE_MS = 25;
/** As long as something comes in, it is waited for; who is silent for longer will not come. */
const SILENCE_MS_MAX = 60_000;

/**
 * Waits until the server has every fact of these devices and each of them has come to the feed's
 * end; answers with that. Nobody writes meanwhile. Throws where something stands in the way that does
 * not pass.
 */
export async function waitUntilCaughtUp(
	players: readonly Player[],
	checkFaults: () => void
): Promise<FeedPlace> {
	let heard = { states: '', atMs: performance.now() };
	let wokenAtMs = heard.atMs;
	for (;;) {
		checkFaults();
		for (const { link } of players) checkLink(link.status);
		const states = await Promise.all(players.map(stateOf));
		const end = await endReached(players, states);
		if (end !== undefined) return end;
		const nowMs = performance.now();
		if (heard.states !== JSON.stringify(states))
			heard = { states: JSON.stringify(states), atMs: nowMs };
		if (nowMs - heard.atMs > SILENCE_MS_MAX) throw new Error(await silence(players, states));
		if (nowMs - wokenAtMs > WAKE_MS) {
			wokenAtMs = nowMs;
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
async function endReached(
	players: readonly Player[],
	states: readonly State[]
): Promise<FeedPlace | undefined> {
	const [first, ...others] = states;
	if (first?.place === undefined || states.some(({ unsent }) => unsent.length > 0))
		return undefined;
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

/** Who has come how far, for whoever has to find out why. */
async function silence(players: readonly Player[], states: readonly State[]): Promise<string> {
	const told = await Promise.all(
		states.map(async ({ place, unsent }, of) => {
			const answer = await players[of]?.http.feed(place ?? { epoch: 0, s: 0 });
			return { place, unsent, answer, status: players[of]?.link.status };
		})
	);
	return `not all of the devices caught up: ${JSON.stringify(told)}`;
}
