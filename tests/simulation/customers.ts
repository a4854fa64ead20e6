import type { LedgerId } from '#domain/ids.ts';
import { openPhone, type OpenPhone } from '#state/customer/open-phone.ts';
import type { NewSet } from '#server/ledgers/customer-sheets.ts';
import type { LedgerName } from '#server/ledgers/ledger-parts.ts';
import { isAwaited } from './awaited-answers.ts';
import { letGoBy } from './let-go.ts';
import { simCrypto } from './crypto.ts';
import { startLink, startProcess, type Tab } from './machine.ts';
import { RELAY_ORIGIN } from './network.ts';
import { codesOfSet } from './sheets.ts';
import { isExpected, tellFault, wordsOf, type Patron, type World } from './world.ts';

/** A customer's machine while its app runs. */
export type PhoneTab = Tab<OpenPhone>;

const REOPEN_MS = [200, 8_000] as const;
const TRY_AGAIN_MS = 2_000;
const YEAR = 2026;
/** Of all times that a customer looks: he makes a new set of codes, and the one before ends. */
const NEW_SET_PERCENT = 8;

/** Opens a customer's app, and again whenever it died. */
export function openPatron(world: World, patron: Patron): void {
	if (patron.tab !== undefined || patron.isOpening) return;
	Object.assign(patron, { isOpening: true });
	const { profile } = patron;
	openTab(world, patron).then(
		(tab) => {
			if (tab.isDead()) return;
			Object.assign(patron, { tab, isOpening: false });
			begin(world, patron, tab);
		},
		(fault: unknown) => {
			Object.assign(patron, { isOpening: false });
			tellFault(world, profile.name, fault);
			world.time.after(TRY_AGAIN_MS, () => {
				openPatron(world, patron);
			});
		}
	);
}

/** What its machine does when the app dies. */
export function patronDied(world: World, patron: Patron): void {
	Object.assign(patron, { tab: undefined, isOpening: false });
	world.time.after(world.chance.between(...REOPEN_MS), () => {
		openPatron(world, patron);
	});
}

async function openTab({ machine }: World, { profile, person }: Patron): Promise<PhoneTab> {
	const process = startProcess(machine, profile);
	const { user, store, disk, signer, clock, changes, onDeath } = process;
	const app = await openPhone(
		{
			store,
			signer: profile.signer,
			crypto: simCrypto,
			clock,
			zone: () => 'Africa/Nairobi',
			token: machine.chance.uuid,
			changes
		},
		person
	);
	if (app.identity.code === undefined) await app.markEnrolled({ code: 'p1', epoch: 1, year: YEAR });
	const link = startLink(machine, profile, { process, device: app.linked });
	const { isDead, kill } = user;
	const held = { store, disk, signer };
	return { profile, user, ...held, clock, app, link, changes, isDead, kill, onDeath };
}

function begin(world: World, patron: Patron, tab: PhoneTab): void {
	tab.link.start().catch((fault: unknown) => {
		if (!tab.isDead()) tellFault(world, patron.profile.name, fault);
	});
}

/** Customers look at what is new, and answer some of it, until `end`. */
export function schedulePatron(world: World, patron: Patron, end: number): void {
	const { time, chance, plan, trace } = world;
	const { profile } = patron;
	const dice = chance.apart(`acts of ${profile.name}`);
	const pause = Math.floor((2 * plan.tradeMs) / plan.acts);
	const again = (): void => {
		if (time.now() >= end) return;
		time.after(dice.below(pause), again);
		const { tab } = patron;
		if (tab === undefined || tab.isDead()) return;
		if (dice.percent(NEW_SET_PERCENT)) renewCodes(world, patron);
		else showRefills(world, patron, tab.app).catch(() => undefined);
		answer(tab.app, dice).then(
			(done) => {
				trace.note('patron', time.now(), profile.name, done);
			},
			(fault: unknown) => {
				if (tab.isDead() || isExpected(fault)) return;
				const detail = `${profile.name}: ${wordsOf(fault)}`;
				world.violations.push({ promise: 'an act is done or refused in words', detail });
			}
		);
	};
	time.after(dice.below(pause), again);
}

async function answer(phone: OpenPhone, dice: World['chance']): Promise<string> {
	const { toAnswer } = phone.view();
	if (dice.percent(30) || toAnswer.length === 0) {
		await phone.markSeen();
		return 'looked';
	}
	const { h } = dice.pick(toAnswer);
	const answered = dice.percent(75)
		? await phone.accept([h])
		: await phone.cancel(h, 'wrongAmount');
	return answered.ok ? 'answered' : 'refused';
}

/**
 * Links a customer to a ledger of the first shop, as soon as there is one and the relay is reached. No
 * page is ever two customers', also where a restored relay forgot whose it was.
 */
export function linkPatron(world: World, patron: Patron): void {
	const { time } = world;
	if (patron.isLinked) return;
	time.after(TRY_AGAIN_MS, () => {
		linkPatron(world, patron);
	});
	tryToLink(world, patron).then(
		(isLinked) => {
			if (isLinked) Object.assign(patron, { isLinked });
		},
		() => undefined
	);
}

async function tryToLink(world: World, patron: Patron): Promise<boolean> {
	const [shop] = world.shops;
	const station = world.stations.find((one) => one.shop === shop);
	if (shop === undefined || station === undefined) return false;
	const rows = await station.profile.disk.store.read(['customers'], (read) =>
		read.all('customers')
	);
	const others = world.patrons.map((other) => other !== patron && other.ledger);
	const free = rows.filter(({ ledger: of }) => !others.includes(of));
	const ledger = patron.ledger ?? (rows.length > patron.place ? free[0]?.ledger : undefined);
	if (ledger === undefined) return false;
	const device = `${shop.business}/${station.profile.identity.code}`;
	const invited = await ask(world, `/ledgers/${ledger}/invites`, {
		body: {},
		headers: { cookie: `__Host-session=${shop.cookie}`, 'daftar-device': device }
	});
	if (invited?.status !== 201) return false;
	const { token } = (await invited.json()) as { readonly token: string };
	const linked = await ask(world, '/links', {
		body: { token, person: patron.person },
		headers: { cookie: `__Host-session=${patron.cookie}` }
	});
	if (linked?.status !== 200) return false;
	Object.assign(patron, { ledger });
	await giveCodes(world, patron, { business: shop.business, ledger });
	return true;
}

/** His old codes are worth nothing from then on; one of them is told all the same now and then. */
function renewCodes(world: World, patron: Patron): void {
	const { page, ledger } = patron;
	const [shop] = world.shops;
	if (page === undefined || ledger === undefined || shop === undefined) return;
	giveCodes(world, patron, { business: shop.business, ledger }).catch(() => undefined);
}

/** He asks for a set of codes, by his phone; where nobody answers, he has none. */
async function giveCodes(world: World, patron: Patron, name: LedgerName): Promise<void> {
	const worth = { kind: 'debit', currency: 'USD', exponent: 2, cap: 1_000_000 };
	const given = await ask(world, `/people/${patron.person}/sheets`, {
		body: { ...name, ...worth },
		headers: {
			cookie: `__Host-session=${patron.cookie}`,
			'daftar-phone': `${patron.person}/p1`
		}
	});
	if (given?.status !== 201) return;
	const { epoch, open } = (await given.json()) as Pick<NewSet, 'epoch' | 'open'>;
	world.count('sheets of codes');
	await showCodes(world, patron, { name, epoch, open });
}

/** What took the place of the codes that were used, as far as his phone has heard. */
async function showRefills(world: World, patron: Patron, phone: OpenPhone): Promise<void> {
	const { page } = patron;
	const shop = phone.view().shops.find(({ key }) => key.ledger === page?.ledger);
	const set = shop?.codes.find(({ epoch, isRevoked }) => epoch === page?.epoch && !isRevoked);
	if (shop === undefined || set === undefined || set.open.join() === page?.open.join()) return;
	await showCodes(world, patron, { name: shop.key, epoch: set.epoch, open: set.open });
}

/** Of those that he showed before, the last goes on to be told now and then. */
async function showCodes(
	world: World,
	patron: Patron,
	{ name, epoch, open }: { readonly name: LedgerName } & Pick<NewSet, 'epoch' | 'open'>
): Promise<void> {
	const codes = await codesOfSet(world, { ...name, epoch }, open);
	if (codes.length === 0) return;
	codes.forEach((one, at) => world.codes.set(one, open[at] ?? 0));
	const before = (patron.page?.codes ?? []).filter((one) => !codes.includes(one));
	Object.assign(patron, {
		page: { ledger: name.ledger, epoch, open, codes: [...codes, ...before.slice(-1)] }
	});
}

interface Asked {
	readonly body: object;
	readonly headers: Readonly<Record<string, string>>;
}

async function ask(
	{ network, time }: World,
	path: string,
	{ body, headers }: Asked
): Promise<Response | undefined> {
	const far = network.far();
	if (far === undefined) return undefined;
	const request = new Request(`${RELAY_ORIGIN}/api${path}`, {
		method: 'POST',
		headers: {
			origin: RELAY_ORIGIN,
			host: new URL(RELAY_ORIGIN).host,
			'content-type': 'application/json',
			...headers
		},
		body: JSON.stringify(body)
	});
	const late = new Promise<undefined>((resolve) => {
		time.after(TRY_AGAIN_MS, () => {
			resolve(undefined);
		});
	});
	return Promise.race([far.answer(request), late]);
}

/** Whether a customer's app has all that the relay has of him. */
export async function isPatronQuiet(
	{ server }: World,
	{ tab, person, profile }: Patron
): Promise<boolean> {
	if (tab === undefined) return false;
	const { state, unsent, feedBehind } = tab.link.status;
	if (state !== 'online' || unsent > 0 || feedBehind > 0) return false;
	return hasAll(server.sql, { scope: person, store: profile.disk.store });
}

interface Holder {
	readonly scope: string;
	readonly store: Patron['profile']['disk']['store'];
	/** Ledgers that a restored relay forgot. */
	readonly forgotten?: ReadonlySet<LedgerId>;
}

/** Whether a machine holds what the relay has of its scope, and nothing else but what is awaited. */
export async function hasAll(
	sql: World['server']['sql'],
	{ scope, store, forgotten = new Set() }: Holder
): Promise<boolean> {
	const rows = await sql<{ id: string }[]>`
		select code || '-' || n as id from fact where business = ${scope}`;
	const ids = new Set(rows.map(({ id }) => id));
	const rowsHeld = await store.read(['facts'], (read) => read.all('facts'));
	const held = rowsHeld.filter((row) => ids.has(row.id) || !isAwaited(row, forgotten));
	const gone = await letGoBy(store);
	const wanted = ids.difference(gone).union(ids.intersection(new Set(held.map(({ id }) => id))));
	return held.length === wanted.size && held.every(({ id }) => ids.has(id));
}

export function heldBy(store: Patron['profile']['disk']['store']): Promise<number> {
	return store.read(['facts'], (read) => read.count('facts'));
}
