import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LinkSpan } from '#domain/confirmation/standing.ts';
import type { LedgerId } from '#domain/ids.ts';
import { linkSpans } from '#domain/ledger/link-spans.ts';
import { systemRandom } from '#server/auth/random.ts';
import { createSessions } from '#server/auth/sessions.ts';
import { verifyAll } from '#server/commands/keeping/verify-all.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { SETS_OF_EPOCH } from '#server/ledgers/code-sets.ts';
import { createProject } from '#server/projections/project.ts';
import { claimFact, recordFact, replyFact, type HandClaim } from '#tests/support/hostile-facts.ts';
import {
	createHostileStand,
	mintLedger,
	ofKind,
	type HostileStand,
	type StandCustomer,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { until } from '#tests/support/relay-stand.ts';
import { giveStandSheet, type StandSheet } from '#tests/support/stand-sheet.ts';
import { backUpTo, restoredStand } from '#tests/support/restored-stand.ts';

const HOUR_MS = 3_600_000;

let stand: HostileStand;
let folder: string;
let shop: StandShop;
/** By their names. */
let people: Record<string, Held>;

interface Row {
	readonly text: string;
	readonly branch: string | null;
}

/** Somebody with a phone, her ledger, and what she holds when the relay is lost. */
interface Held {
	readonly who: StandCustomer;
	readonly ledger: LedgerId;
	readonly rows: readonly Row[];
}

beforeEach(async () => {
	folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-forgotten-'));
	stand = await createHostileStand();
	shop = await stand.shop('duka');
	people = {};
});
afterEach(async () => {
	await stand.close();
	await rm(folder, { recursive: true });
});

async function meet(...names: readonly string[]): Promise<void> {
	for (const name of names)
		people[name] = { who: await stand.customer(name), ledger: mintLedger(), rows: [] };
}

function held(name: string): Held {
	const one = people[name];
	if (one === undefined) throw new Error(`who is ${name}?`);
	return one;
}

const link = (name: string): Promise<void> => stand.link(shop, held(name).ledger, held(name).who);

async function end(name: string, by: 'shop' | 'customer'): Promise<void> {
	const { who, ledger } = held(name);
	stand.clock.now += 60_000;
	const { status } = await stand.ask('/connections/end', {
		by: by === 'shop' ? shop : { headers: who.session },
		body: { business: shop.business, ledger }
	});
	expect(status).toBe(200);
}

/** A backup, what `since` does, and the restore of that backup. What the shop holds by then. */
async function forget(since: () => Promise<void>, how = {}): Promise<readonly Row[]> {
	const file = path.join(folder, 'backup');
	await backUpTo(file, stand);
	await since();
	const rows = await rowsOf(shop.business);
	for (const [name, one] of Object.entries(people))
		people[name] = { ...one, rows: await rowsOf(one.who.person) };
	await stand.close();
	stand.clock.now += HOUR_MS;
	stand = await restoredStand(file, stand.clock, how);
	shop = { ...shop, headers: { ...(await signIn('duka')), 'daftar-device': `${shop.business}/A` } };
	for (const [name, { who, ...one }] of Object.entries(people)) {
		const session = await signIn(name);
		const headers = { ...session, 'daftar-phone': `${who.person}/p1` };
		people[name] = { ...one, who: { ...who, session, headers } };
	}
	return rows;
}

function rowsOf(scope: string): Promise<readonly Row[]> {
	return stand.database.sql<Row[]>`
		select text, branch from fact where business = ${scope} order by s`;
}

async function signIn(username: string): Promise<{ cookie: string }> {
	const { sql, orm } = stand.database;
	const [row] = await sql<{ account: string }[]>`
		select account from account where username = ${username}`;
	const parts = { executor: orm, clock: () => stand.clock.now, random: systemRandom };
	const opened = { userAgent: 't', address: '' };
	const token = await createSessions(parts).open(orm, row?.account ?? '', opened);
	return { cookie: `__Host-session=${token}` };
}

/** Hands in what is not there, and waits until the bridge is behind it. */
async function carry(by: StandShop | StandCustomer, rows: readonly Row[]): Promise<void> {
	const known = await rowsOf('business' in by ? by.business : by.person);
	const has = new Set(known.map(({ text }) => text));
	const facts = rows.flatMap(({ text, branch }) => (has.has(text) ? [] : [[branch, text]]));
	const { status, body } = await stand.ask('/carried', { by, body: { facts } });
	expect(status).toBe(200);
	const handed = body['handed'] as readonly (readonly string[])[];
	expect(handed.filter(([, became]) => became === 'refused')).toEqual([]);
	await until(async () => {
		const left = await stand.database.sql`
			select from feed_head left join bridge_cursor on scope = business
			where feed_head.s > coalesce(bridge_cursor.s, 0)`;
		return left.length === 0;
	});
	expect(stand.faults).toEqual([]);
}

const isEnd = ({ text }: Row): boolean => text.includes('"ended"');
const isCard = ({ text }: Row): boolean => text.includes('"card"');

interface Sides {
	/** Whether the shop's screen and hers show the connection, and the table has it. */
	readonly shown: readonly boolean[];
	/** When somebody stood there, as each side has it: what has no length, or is said twice, says nothing. */
	readonly spans: readonly ReadonlySet<string>[];
}

async function sidesOf(name: string): Promise<Sides> {
	const { who, ledger } = held(name);
	const [links, cards] = [
		ofKind(await stand.feedOf(shop.business), 'link').filter((fact) => fact.ledgerId === ledger),
		ofKind(await stand.feedOf(who.person), 'card')
	];
	const both = [linkSpans(links), linkSpans(cards)];
	const rows = await stand.database.sql`
		select from ledger_link
		where ledger = ${ledger} and person = ${who.person} and state = 'linked'`;
	return {
		shown: [...both.map((spans) => spans.at(-1)?.to === null), rows.length > 0],
		spans: both.map((spans) => new Set(spans.flatMap(wordsOf)))
	};
}

function wordsOf({ from, to, since = from }: LinkSpan): readonly string[] {
	return from === to ? [] : [`${String(from)} to ${String(to)} since ${String(since)}`];
}

async function expectShown(names: readonly string[], isLinked: boolean): Promise<void> {
	for (const name of names) {
		const { shown, spans } = await sidesOf(name);
		expect([name, ...shown]).toEqual([name, isLinked, isLinked, isLinked]);
		if (isLinked) expect(spans[1]).toEqual(spans[0]);
	}
}

/** Whose connection `npm run verify` names: by the shop, by her. */
async function lost(): Promise<readonly string[]> {
	const { sql } = stand.database;
	const project = createProject(createNodeCrypto());
	const { lostLinks, differences } = await verifyAll({ sql, project });
	expect(differences.named).toEqual([]);
	return lostLinks
		.map(({ scope, ledger }) => {
			const found = Object.entries(people).find(([, one]) =>
				scope === shop.business ? one.ledger === ledger : one.who.person === scope
			);
			return found?.[0] ?? 'nobody';
		})
		.toSorted();
}

async function write(name: string): Promise<void> {
	stand.clock.now += 60_000;
	const due = await recordFact(shop, { ledger: held(name).ledger, minor: 4_200 });
	expect(await stand.put(shop, [due])).toBe('taken');
	await stand.settled();
}

describe('a connection that a restore forgot', () => {
	it('[CONNECT-19] [KEEP-15] stands again once both sides have said so, whoever is first, and neither makes one alone', async () => {
		await meet('amina', 'bola', 'cora', 'dalila', 'eve');
		await link('cora');
		await end('cora', 'shop');
		const theirs = await forget(async () => {
			for (const name of ['amina', 'bola', 'cora', 'dalila']) await link(name);
			await write('amina');
		});
		// Before any device of the shop.
		await carry(held('bola').who, held('bola').rows);
		await expectShown(['bola'], false);
		await carry(shop, theirs);
		await expectShown(['bola'], true);
		await expectShown(['amina', 'cora', 'dalila'], false);
		expect(await lost()).toEqual(['amina', 'cora', 'dalila']);
		// Whoever knows all that her phone does is not she; nor does another moment fit.
		await carry(held('eve').who, held('amina').rows.filter(isCard));
		const later = ({ text, branch }: Row): Row => ({
			branch,
			text: text.replace(/"at":(\d+)/, (_all, at: string) => `"at":${String(Number(at) + 1)}`)
		});
		await carry(held('dalila').who, held('dalila').rows.map(later));
		await expectShown(['amina', 'dalila', 'eve'], false);
		await carry(held('amina').who, held('amina').rows);
		await carry(held('cora').who, held('cora').rows);
		await expectShown(['amina', 'bola', 'cora'], true);
		expect(await lost()).toEqual(['dalila', 'dalila', 'eve']);

		// It carries again what both write, and codes of numbers that were never given out.
		shop = { ...shop, n: 50 };
		await write('amina');
		const records = ofKind(await stand.feedOf(held('amina').who.person), 'booked');
		expect(new Set(records.map(({ record }) => record.core.recordId)).size).toBe(2);
		const [first] = await stand.database.sql<{ epoch: number }[]>`
			select min(epoch) as epoch from code_epoch where ledger = ${held('amina').ledger}`;
		expect(first?.epoch).toBeGreaterThan(SETS_OF_EPOCH);
	});

	it('[RELAY-58] of which the shop has the answer alone leaves that with its devices until she is connected anew', async () => {
		await meet('amina');
		const theirs = await forget(async () => {
			const { who, ledger } = held('amina');
			await link('amina');
			const due = await recordFact(shop, { ledger });
			expect(await stand.put(shop, [due])).toBe('taken');
			await stand.settled();
			const answer = { business: shop.business, ledger, h: due.h, decision: 'accept' } as const;
			expect(await stand.put(who, [await replyFact(who, answer)])).toBe('taken');
			await stand.settled();
		});
		// They have the day's journal, and had not fetched the feed: what stands in it alone is lost.
		const answers = theirs.filter(({ text }) => text.includes('"answered"'));
		await carry(
			shop,
			theirs.filter((row) => row.branch !== null && !answers.includes(row))
		);
		const handIn = async (): Promise<unknown> => {
			const facts = answers.map(({ text, branch }) => [branch, text]);
			const { body } = await stand.ask('/carried', { by: shop, body: { facts } });
			return body['handed'];
		};
		const waits = [[expect.any(String), 'refused', 'authorUnknown']];
		expect(await handIn()).toEqual(waits);
		await carry(held('amina').who, held('amina').rows);
		await expectShown(['amina'], false);
		// Her own word that she stood there is not the shop's.
		expect(await handIn()).toEqual(waits);

		await link('amina');
		await expectShown(['amina'], true);
		expect(await handIn()).toEqual([[expect.any(String), 'kept']]);
	});

	it('[CONNECT-19] is ended again by either side, also where two who did not know said it again', async () => {
		await meet('amina', 'bola', 'cora');
		await link('cora');
		const theirs = await forget(async () => {
			for (const name of ['amina', 'bola']) {
				await link(name);
				await end(name, 'customer');
			}
			await end('cora', 'shop');
		});
		await expectShown(['cora'], true);
		const ofCora = ({ text }: Row): boolean => text.includes(held('cora').ledger);
		await carry(
			shop,
			theirs.filter((row) => !isEnd(row) || ofCora(row))
		);
		await expectShown(['cora'], false);
		await carry(held('amina').who, held('amina').rows);
		await expectShown(['amina'], false);
		const { who, rows } = held('bola');
		await carry(
			who,
			rows.filter((row) => !isEnd(row))
		);
		await expectShown(['bola'], true);
		await carry(who, rows.filter(isEnd));
		await expectShown(['bola'], false);
		for (const name of ['bola', 'cora']) {
			const { spans } = await sidesOf(name);
			expect(spans[1]).toEqual(spans[0]);
		}
	});
});

describe('a set of codes that a restore forgot', () => {
	const giveTo = (who: StandCustomer): Promise<StandSheet> =>
		giveStandSheet(stand, { shop, ledger: held('amina').ledger, customer: who, cap: 1_000 });
	const guesses = { codes: ['00000000', '11111111'] };

	async function restored(rows: readonly Row[]): Promise<void> {
		await carry(shop, rows);
		shop = { ...shop, n: 50 };
		stand.clock.now += HOUR_MS;
	}

	beforeEach(async () => {
		await meet('amina');
		await link('amina');
	});

	it('[JUDGE-19] is made out again from what the shop was told and her secret', async () => {
		const before = await giveTo(held('amina').who);
		let given = before;
		const theirs = await forget(async () => {
			given = await giveTo(held('amina').who);
		});
		await restored(theirs);
		// She made another: nobody is to use the old one.
		expect(await tell('amina', before, 1)).toBe('revoked');
		expect(await tell('amina', given, 0)).toBe('ok');
		expect(await tell('amina', given, 0)).toBe('used');
		expect(await tell('amina', guesses, 1)).toBe('wrong');
	});

	it('[JUDGE-19] is no guess either where it took the place of a used one, of a set that was not forgotten', async () => {
		const given = await giveTo(held('amina').who);
		await forget(async () => {
			for (const counter of [0, 1]) expect(await tell('amina', given, counter)).toBe('ok');
		});
		// Whoever knows of what was used says nothing yet.
		await restored([]);
		expect(await tell('amina', given, 6)).toBe('ok');
		expect(await tell('amina', given, 6)).toBe('used');
		expect(await tell('amina', guesses, 1)).toBe('wrong');
		const sheet = ofKind(await stand.feedOf(shop.business), 'sheet').at(-1);
		const open = sheet?.fields.open.map(([counter]) => counter) ?? [];
		expect(open).toHaveLength(6);
		expect(open).not.toContain(6);
	});

	it('[JUDGE-19] is told as revoked, and as no guess, where she made another since', async () => {
		const forgotten: StandSheet[] = [];
		const theirs = await forget(async () => {
			for (let sets = 0; sets < 2; sets += 1) forgotten.push(await giveTo(held('amina').who));
		});
		// Before any device of the shop has said what it was told.
		const again = await giveTo(held('amina').who);
		await restored(theirs);
		for (const set of forgotten)
			for (const counter of [0, 1]) expect(await tell('amina', set, counter)).toBe('revoked');
		expect(await tell('amina', again, 0)).toBe('ok');
		expect(await tell('amina', guesses, 0)).toBe('wrong');
	});

	it('[JUDGE-19] is revoked with the one that ended it, where both were forgotten', async () => {
		const forgotten: StandSheet[] = [];
		const theirs = await forget(async () => {
			for (let sets = 0; sets < 2; sets += 1) forgotten.push(await giveTo(held('amina').who));
		});
		await restored(theirs);
		const [ended, last] = forgotten;
		if (ended === undefined || last === undefined) throw new Error('two sets were made');
		expect(await tell('amina', ended, 0)).toBe('revoked');
		expect(await tell('amina', last, 0)).toBe('ok');
	});

	it('[JUDGE-20] is not used in the place of one that ended it, of which her phone alone tells', async () => {
		const before = await giveTo(held('amina').who);
		const forgotten: StandSheet[] = [];
		const theirs = await forget(async () => {
			for (let sets = 0; sets < 2; sets += 1) forgotten.push(await giveTo(held('amina').who));
		});
		const [ended, last] = forgotten;
		if (ended === undefined || last === undefined) throw new Error('two sets were made');
		const isOfLast = ({ text }: Row): boolean =>
			text.includes(`"epoch":${String(last.scope.epoch)}`) || text.includes('"open":[]');
		const { who, rows } = held('amina');
		await carry(who, rows);
		// Who found the old paper tells nothing of the new one.
		await restored([]);
		expect(await tell('amina', before, 1)).toBe('revoked');
		await carry(
			shop,
			theirs.filter((row) => !isOfLast(row))
		);
		shop = { ...shop, n: 60 };
		expect(await tell('amina', ended, 0)).toBe('revoked');
		expect(await tell('amina', last, 0)).toBe('revoked');
		// A shop that tells of it has it again.
		await carry(shop, theirs);
		shop = { ...shop, n: 80 };
		expect(await tell('amina', last, 1)).toBe('ok');
		expect(await tell('amina', before, 2)).toBe('revoked');

		const again = await giveTo(who);
		expect(await tell('amina', again, 0)).toBe('ok');
		expect(await tell('amina', guesses, 0)).toBe('wrong');
	});

	it('[JUDGE-6] [JUDGE-19] is not locked by codes of another way that were wrong meanwhile', async () => {
		let given = await giveTo(held('amina').who);
		const theirs = await forget(async () => {
			given = await giveTo(held('amina').who);
		});
		await restored(theirs);
		for (let tries = 0; tries < 3; tries += 1)
			expect(await tellClaim('amina', { way: 'sms', code: '000000', counter: 0 })).toBe('wrong');
		expect(await tell('amina', given, 0)).toBe('ok');
	});

	it('[JUDGE-19] is no guess while its connection is forgotten too', async () => {
		await meet('bola');
		let given: StandSheet | undefined;
		const theirs = await forget(async () => {
			const { who: customer, ledger } = held('bola');
			await link('bola');
			given = await giveStandSheet(stand, { shop, ledger, customer, cap: 1_000 });
		});
		// The connection is made again once her phone has said it, too.
		await restored(theirs);
		const { codes } = given ?? { codes: [] };
		for (const counter of [0, 1, 2, 3])
			expect(await tell('bola', { codes }, counter)).toBe('revoked');
		await carry(held('bola').who, held('bola').rows);
		expect(await tell('bola', { codes }, 4)).toBe('revoked');
		const { who: customer, ledger } = held('bola');
		const again = await giveStandSheet(stand, { shop, ledger, customer, cap: 1_000 });
		expect(await tell('bola', again, 0)).toBe('ok');
		for (const result of ['wrong', 'wrong', 'wrong', 'locked'])
			expect(await tell('bola', guesses, 0)).toBe(result);
	});

	it('[JUDGE-19] is not what the relay did not sign', async () => {
		const before = await giveTo(held('amina').who);
		const theirs = await forget(async () => {
			await giveTo(held('amina').who);
		});
		const changed = ({ text, branch }: Row): Row => ({
			branch,
			text: text.replace(/"cap":1000/, '"cap":100000')
		});
		await restored(theirs.map(changed));
		expect(await tell('amina', before, 1)).toBe('ok');
	});

	it('[JUDGE-19] with another secret ends, both sides are told, and what is told of it is no guess', async () => {
		const given = await giveTo(held('amina').who);
		await forget(() => Promise.resolve(), { isOtherSecret: true });
		await restored([]);
		for (const counter of [0, 1, 2, 3, 4])
			expect(await tell('amina', given, counter)).toBe('revoked');
		const { scope } = given;
		const links = ofKind(await stand.feedOf(shop.business), 'link');
		const cards = ofKind(await stand.feedOf(held('amina').who.person), 'card');
		for (const { fields } of [links.at(-1), cards.at(-1)].flatMap((one) => one ?? []))
			expect(fields.epoch).toBeGreaterThan(scope.epoch);
		const judged = ofKind(await stand.feedOf(held('amina').who.person), 'judged');
		expect(judged.map(({ wrong }) => wrong)).toEqual([0, 0, 0, 0, 0]);
		expect(await tell('amina', { codes: ['000000000'] })).toBe('wrong');

		const again = await giveTo(held('amina').who);
		expect(await tell('amina', again, 0)).toBe('ok');
		for (const result of ['wrong', 'wrong', 'wrong', 'locked'])
			expect(await tell('amina', guesses, 0)).toBe(result);
	});

	it('[JUDGE-19] ended by one that was ended too stays so, whatever the shop keeps back of what ended that', async () => {
		const before = await giveTo(held('amina').who);
		let given = before;
		const theirs = await forget(async () => {
			given = await giveTo(held('amina').who);
			await end('amina', 'customer');
			stand.clock.now += HOUR_MS;
			await link('amina');
		});
		await restored(theirs.filter(({ text }) => text.includes('"sheet"')));
		for (const set of [before, given]) expect(await tell('amina', set, 0)).toBe('revoked');
		expect(await tell('amina', guesses, 1)).toBe('revoked');
	});

	it('[JUDGE-19] that was not forgotten stays ended, whatever the shop keeps back of what ended it', async () => {
		const given = await giveTo(held('amina').who);
		const theirs = await forget(async () => {
			await end('amina', 'customer');
			stand.clock.now += HOUR_MS;
			await link('amina');
		});
		await restored(theirs.filter(({ text }) => text.includes('"sheet"')));
		for (const counter of [0, 1]) expect(await tell('amina', given, counter)).toBe('revoked');
		expect(await tell('amina', guesses, 1)).toBe('wrong');
		const again = await giveTo(held('amina').who);
		expect(await tell('amina', again, 0)).toBe('ok');
	});

	it('[JUDGE-19] with another secret is no guess either where it had ended before, and none is in force', async () => {
		const given = await giveTo(held('amina').who);
		await end('amina', 'customer');
		stand.clock.now += HOUR_MS;
		await link('amina');
		await forget(() => Promise.resolve(), { isOtherSecret: true });
		await restored([]);
		for (const counter of [0, 1, 2, 3]) expect(await tell('amina', given, counter)).toBe('revoked');
		const judged = ofKind(await stand.feedOf(held('amina').who.person), 'judged');
		expect(judged.map(({ wrong }) => wrong)).toEqual([0, 0, 0, 0]);
	});
});

/** The verdict on a code that is told for a due of its own: a sheet's, or a phone's. */
function tell(
	name: string,
	{ codes }: Pick<StandSheet, 'codes'>,
	counter?: number
): Promise<string> {
	return tellClaim(
		name,
		counter === undefined
			? { way: 'app', code: codes[0] ?? '' }
			: { way: 'sheet', code: codes[counter] ?? '', counter }
	);
}

async function tellClaim(name: string, claim: Omit<HandClaim, 'h'>): Promise<string> {
	const due = await recordFact(shop, { ledger: held(name).ledger, minor: 300 });
	const verdicts = async (): Promise<readonly string[]> =>
		ofKind(await stand.feedOf(shop.business), 'verdict').map(({ verdict }) => verdict.result);
	const before = (await verdicts()).length;
	expect(await stand.put(shop, [due, await claimFact(shop, { h: due.h, ...claim })])).toBe('taken');
	await until(async () => (await verdicts()).length > before);
	return (await verdicts()).at(-1) ?? '';
}
