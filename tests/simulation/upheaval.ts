import { beginNextEpoch } from '#server/commands/keeping/after-restore.ts';
import { SETS_OF_EPOCH } from '#server/ledgers/code-sets.ts';
import { linkPatron } from './customers.ts';
import { copyDisk } from './disk.ts';
import { createDisk, type Disk } from './disk-contents.ts';
import { createStation } from './station.ts';
import { markerOf, type Station, type World } from './world.ts';

/** What happens to a shop once in years: its relay is restored, a profile copied, a device removed. */
export function scheduleUpheavals(world: World): void {
	const { plan, time } = world;
	if (plan.restore !== undefined) scheduleRestore(world, plan.restore);
	if (plan.cloneMs !== undefined)
		time.after(plan.cloneMs, () => {
			cloneOne(world);
		});
	if (plan.removeMs !== undefined)
		time.after(plan.removeMs, () => {
			removeOne(world);
		});
}

function scheduleRestore(
	world: World,
	{ backupMs, backMs }: { readonly backupMs: number; readonly backMs: number }
): void {
	const { time, server, trace } = world;
	let putBack: (() => Promise<void>) | undefined;
	time.after(backupMs, () => {
		void alone(world, async () => {
			trace.note('backup', time.now());
			putBack = await server.snapshot();
		});
	});
	time.after(backMs + 1, () => {
		world.count('relay restored from a backup');
		world.isHeld = true;
		// Nobody may have thought of the second relay.
		const isLeft = world.plan.second?.isLeftRunning === true;
		for (const relay of isLeft ? world.relays.slice(0, 1) : world.relays) relay.kill();
		void alone(world, async () => {
			trace.note('restore', time.now());
			await putBack?.();
			const sessions = await server.sql`select * from session`;
			await beginNextEpoch(server.sql, time.now());
			// Everybody signs in anew.
			if (sessions.length > 0) await server.sql`insert into session ${server.sql(sessions)}`;
			await server.forgetPlans();
			world.watch.twinned();
		}).then(() => {
			world.isHeld = false;
			world.startRelays();
		});
	});
}

/**
 * Whose connection the relay forgot, and did not hear of from both sides again, connects anew: one of
 * them may have died with it. Whether anybody does.
 */
export async function connectAgain(world: World): Promise<boolean> {
	let isAny = false;
	for (const patron of world.patrons.filter(({ isLinked }) => isLinked)) {
		const [link] = await world.server.sql<{ is_again: boolean }[]>`
			select epoch >= ${SETS_OF_EPOCH} and at < (select max(started_at) from database_epoch)
				and not exists (
					select from code_epoch where code_epoch.ledger = ledger_link.ledger
						and code_epoch.epoch < ${SETS_OF_EPOCH}
				) as is_again
			from ledger_link where person = ${patron.person} and state = 'linked'`;
		if (link?.is_again === true) world.count('connection made again');
		if (link !== undefined) continue;
		isAny = true;
		world.count('connected anew');
		Object.assign(patron, { isLinked: false });
		linkPatron(world, patron);
	}
	return isAny;
}

/** Work on the database itself, between two statements of a relay and outside all transactions. */
export async function alone(world: World, work: () => Promise<void>): Promise<void> {
	const leave = await world.line.enter();
	const done = work();
	world.time.awaits(done);
	await done;
	leave();
}

/** Two machines with one code and one key: neither knows of the other. */
function cloneOne(world: World): void {
	const { chance, stations, network, time } = world;
	const dice = chance.apart('clone');
	const of = dice.pick(stations);
	world.count('profile copied');
	world.watch.twinned();
	void copyBooks(of).then((books) => {
		const name = `copy of ${of.profile.name}`;
		const line = network.createLine(name);
		const { business } = of.shop;
		world.watch.listen(line, { scope: business, marker: markerOf(business) });
		const { signer, identity, clockOffMs } = of.profile;
		const disk = createDisk();
		const station = createStation(world, {
			shop: of.shop,
			profile: { name, line, disk, signer, identity, clockOffMs },
			tabs: 1,
			of: { books, keys: of.keys }
		});
		stations.push(station);
		time.after(dice.below(5_000), station.open);
	});
}

/** The list of the books first: what it names is there when the books are copied. */
async function copyBooks({ books }: Station): Promise<Map<string, Disk>> {
	const copies = new Map<string, Disk>();
	const names = [...books.keys()].toSorted((a, b) => a.length - b.length);
	for (const name of names) {
		const disk = books.get(name);
		if (disk !== undefined) copies.set(name, await copyDisk(disk));
	}
	return copies;
}

/** As the owner's act at another relay: only the database says so. */
function removeOne(world: World): void {
	const { chance, stations, server, time } = world;
	const dice = chance.apart('remove');
	const others = stations.filter(
		({ shop, profile }) => profile.identity.code !== 'A' && shop === world.shops[0]
	);
	if (others.length === 0) return;
	const station = dice.pick(others);
	world.count('device removed');
	const { business } = station.shop;
	const { code } = station.profile.identity;
	void alone(world, async () => {
		await server.sql`
			update device set removed_at = ${time.now()} where business = ${business} and code = ${code}`;
		await server.sql`delete from device_token where business = ${business} and code = ${code}`;
	});
}
