import type { BusinessId } from '#domain/ids.ts';
import { idAtStart } from '#domain/fact/issued-again.ts';
import {
	bySessionOrKey,
	createOwnerApi,
	type AskingDevice,
	type LateText,
	type OwnerApi
} from '#state/owner-api.ts';
import { RELAY_ORIGIN } from './network.ts';
import { tellFault, type Station, type World } from './world.ts';

/** What was taken in may be what others that wait are about: that many times all are tried. */
const TRIES = 3;
/** Long enough for all that an owner asks for. */
const OWNER_MS = 60_000;

/**
 * API-44. The owner of each shop takes in what its removed devices left to him. False where nothing
 * waits, or nobody is let in any more who could.
 */
export async function takeInLate(world: World): Promise<boolean> {
	const shops = await world.server.sql<{ business: BusinessId }[]>`
		select distinct business from late_fact where state = 'waiting' order by business`;
	let isAny = false;
	for (const { business } of shops) {
		const station = world.stations.find(
			({ shop, isRemoved }) => shop.business === business && !isRemoved
		);
		if (station === undefined) continue;
		isAny = true;
		world.count('late facts taken in');
		let isOver = false;
		takeIn(world, station)
			.catch((fault: unknown) => {
				tellFault(world, `owner of ${business}`, fault);
			})
			.finally(() => {
				isOver = true;
			});
		await world.time.run(world.time.now() + OWNER_MS, () => isOver);
	}
	return isAny;
}

async function takeIn({ network, count }: World, { profile }: Station): Promise<void> {
	const line = network.createLine(`owner at ${profile.name}`);
	const { fetch } = line.connector({ isDead: () => false });
	const api = createOwnerApi({ fetch, base: RELAY_ORIGIN });
	const { identity: device, signer } = profile;
	const { business } = device;
	const asking = { api, device, signer };
	for (let tries = 0; tries < TRIES; tries += 1) {
		const ids = (await waiting(asking, business)).map(({ text }) => idAtStart(text) ?? '');
		if (ids.length === 0) return;
		const decided = await bySessionOrKey(asking, (token) =>
			api.decideLate({ business, ids, state: 'taken' }, token)
		);
		if (!decided.ok) throw new Error(`what waits was not taken in: ${decided.error}`);
	}
	for (const { reason } of await waiting(asking, business)) {
		if (reason === '') throw new Error('what waits was neither taken in nor refused');
		count(`late fact not taken in: ${reason}`);
	}
}

async function waiting(
	asking: AskingDevice & { readonly api: OwnerApi },
	business: BusinessId
): Promise<readonly LateText[]> {
	const listed = await bySessionOrKey(asking, (token) =>
		asking.api.lateFacts({ business, state: 'waiting' }, token)
	);
	if (!listed.ok) throw new Error(`what waits is not told: ${listed.error}`);
	return listed.value.facts;
}
