import { beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeBase64url, decodeBase64url } from '#domain/bytes.ts';
import { secretId } from '#domain/confirmation/codes.ts';
import { answerMessage } from '#domain/confirmation/signatures.ts';
import type { DeviceKeySpan, ReplyFact } from '#domain/fact/ledger-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseDeviceCode, parsePersonId } from '#domain/ids.ts';
import { shopId } from '#domain/person/view.ts';
import { err, ok } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { isStorageFull, type DeviceStore } from '#storage/device-store.ts';
import { createCustomerStand, uuid, type CustomerStand } from '#tests/support/customer-stand.ts';
import { arriving, ofKind, openTestPhone, type TestPhone } from '#tests/support/customer-phone.ts';
import { createFakeRelay, type FakeRelay } from '#tests/support/fake-relay.ts';
import { permutations } from '#tests/support/permutations.ts';
import { seeded } from '#tests/support/seeded.ts';
import { shortTimers } from '#tests/support/short-timers.ts';
import { createMemoryDocumentsHost } from '#storage/documents-host.ts';
import { createChanges } from '../changes.ts';
import { readMeta, writeMeta } from '../meta.ts';
import { createRelayLink, type RelayLink } from '../relay-link.ts';
import { createSigner, createSigningKeys, createWebCrypto } from '../web-crypto.ts';
import { openPhone } from './open-phone.ts';
import { gatherKeys } from './person-model.ts';
import { importSecret } from './secret.ts';

let stand: CustomerStand;
beforeEach(async () => {
	stand = await createCustomerStand();
	stand.card();
});

const DAY_MS = 86_400_000;

const shopOf = ({ business, ledger }: CustomerStand) => ({ business, ledger });

/** As many keys as a card names, and `own` the first. */
function cardKeys(own: Uint8Array): readonly DeviceKeySpan[] {
	const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
	const codes = [...letters, ...letters.flatMap((one) => letters.map((two) => one + two))];
	return codes.slice(0, 400).map((text, place): DeviceKeySpan => {
		const code = parseDeviceCode(text);
		if (!code.ok) throw new Error('no code');
		const point = new Uint8Array(own);
		point.set([place % 256, Math.floor(place / 256)], 40);
		return [code.value, encodeBase64url(place === 0 ? own : point), 0, 0];
	});
}

async function phoneWith(number: number | 'unknown' = 1, store?: DeviceStore): Promise<TestPhone> {
	const test = await openTestPhone(stand.person, {
		number: number === 'unknown' ? undefined : number,
		...(store !== undefined && { store })
	});
	await test.phone.receive(arriving(stand.texts));
	return test;
}

function replyOf(text: string | undefined): ReplyFact {
	const parsed = parseFact(text ?? '');
	if (!parsed.ok || parsed.value.kind !== 'reply') throw new Error('no answer');
	return parsed.value;
}

function upTosOf(texts: readonly string[]): readonly number[] {
	return ofKind(texts, 'seen').flatMap((text) => {
		const parsed = parseFact(text);
		return parsed.ok && parsed.value.kind === 'seen' ? [parsed.value.upToMs] : [];
	});
}

describe('an act', () => {
	it('[CUSTOMER-1] signs what it says, numbers it, and keeps it in the year’s document', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		const { phone, own, signer, store, clock } = await phoneWith();
		expect(await phone.cancel(h, 'wrongAmount', ' it was\n300 ')).toEqual(ok({ hs: [h] }));
		expect(await phone.drop(h)).toEqual(ok({ hs: [h] }));

		const [first, second] = (await own()).map(replyOf);
		expect(first).toMatchObject({
			id: 'p1-1',
			n: 1,
			decision: 'cancel',
			answerN: 1,
			note: 'it was 300'
		});
		expect(second).toMatchObject({
			id: 'p1-2',
			n: 2,
			decision: 'accept',
			answerN: 2,
			reason: 0,
			by: 1
		});
		for (const reply of [first, second]) {
			if (reply === undefined) throw new Error('no answer');
			const { decision, answerN: n, signedAt } = reply;
			expect(signedAt).toBe(clock.now);
			const sig = decodeBase64url(reply.sig);
			const message = answerMessage({ decision, n, h, kid: signer.kid, signedAt });
			expect(sig.ok && (await createWebCrypto().verify(signer.publicKey, message, sig.value))).toBe(
				true
			);
		}
		const journal = await store.read(['journal'], (read) => read.all('journal'));
		expect(journal.map(({ document, sent, minor }) => [document, sent, minor])).toEqual([
			[`c/${stand.person}/2026`, 0, 500n],
			[`c/${stand.person}/2026`, 0, 500n]
		]);
		expect(phone.view().shops[0]?.records[0]?.standing.kind).toBe('agreedHere');
	});

	it('[CUSTOMER-1] is refused with its reason, and nothing is kept', async () => {
		const due = await stand.book({ kind: 'due', minor: 500 });
		const payment = await stand.book({ kind: 'payment', minor: 100 });
		const gone = await stand.book({ kind: 'due', minor: 70 });
		await stand.book({ kind: 'reversalOfDebit', minor: 70, ref: gone });
		const { phone, own } = await phoneWith();
		const unknown = await createCustomerStand({ number: 2 }).then((other) =>
			other.book({ kind: 'due', minor: 1 })
		);
		expect(await phone.accept([unknown])).toEqual(err('recordUnknown'));
		expect(await phone.accept([payment])).toEqual(err('notToAnswer'));
		expect(await phone.cancel(gone, 'other')).toEqual(err('notToAnswer'));
		expect(await phone.drop(due)).toEqual(err('notDisputed'));
		expect(await phone.cancel(due, 'other', 'x'.repeat(281))).toEqual(err('noteTooLong'));
		expect(await phone.acceptAll({ ...shopOf(stand), business: uuid(9, 0xb) as never })).toEqual(
			err('notToAnswer')
		);
		expect(await own()).toEqual([]);

		expect(await phone.accept([due])).toEqual(ok({ hs: [due] }));
		expect(await phone.accept([due])).toEqual(err('alreadyAnswered'));
		expect(await phone.cancel(due, 'notMe')).toEqual(err('alreadyAnswered'));
		expect(await own()).toHaveLength(1);
	});

	it('[CUSTOMER-19] a yes takes back no no that was said on another phone meanwhile', async () => {
		const contested = await stand.book({ kind: 'due', minor: 500 });
		const waiting = await stand.book({ kind: 'due', minor: 70 });
		const [one, other] = [await phoneWith(1), await phoneWith(2)];
		const shown = other.phone.view().toAnswer.map(({ h }) => h);
		expect(shown).toEqual([contested, waiting]);
		await one.phone.cancel(contested, 'notMe');
		await other.phone.receive(
			arriving([stand.file((await one.own())[0] ?? '', one.signer.publicKey)])
		);
		expect(await other.phone.accept(shown)).toEqual(ok({ hs: [waiting] }));
		expect(await other.phone.accept([contested])).toEqual(err('alreadyAnswered'));
		expect(other.phone.view().shops[0]?.totals[0]).toMatchObject({ disputed: 500n });
		expect(await other.phone.drop(contested)).toEqual(ok({ hs: [contested] }));
	});

	it('[CUSTOMER-1] yes to all is a signature for each, in one transaction', async () => {
		const hs = [];
		for (let place = 0; place < 12; place += 1)
			hs.push(await stand.book({ kind: 'due', minor: 100 + place }));
		const { phone, own } = await phoneWith();
		expect(await phone.acceptAll(shopOf(stand))).toEqual(ok({ hs }));
		const replies = (await own()).map(replyOf);
		expect(replies.map(({ h }) => h)).toEqual(hs);
		expect(new Set(replies.map(({ sig }) => sig)).size).toBe(12);
		expect(phone.view().toAnswer).toEqual([]);
	});

	it('[CUSTOMER-1] a full disk rejects it, and nothing is kept', async () => {
		const hs = [];
		for (let place = 0; place < 20; place += 1)
			hs.push(await stand.book({ kind: 'due', minor: 100 + place }));
		const { phone, own } = await phoneWith(1, createMemoryDeviceStore({ bytesMax: 35_000 }));
		let saved = 0;
		let fault: unknown;
		for (const h of hs) {
			if (fault !== undefined) break;
			await phone.accept([h]).then(
				() => {
					saved += 1;
				},
				(thrown: unknown) => {
					fault = thrown;
				}
			);
		}
		expect(isStorageFull(fault)).toBe(true);
		expect(saved).toBeGreaterThan(0);
		expect(await own()).toHaveLength(saved);
		const answered = phone
			.view()
			.shops[0]?.records.filter(({ standing }) => standing.kind === 'agreedHere');
		expect(answered).toHaveLength(saved);
	});

	it.each([
		{ clockAt: 'the first evening west of Greenwich', now: 3_600_000, zone: 'America/New_York' },
		{ clockAt: 'before the first day, put back by a correction', now: -9 * DAY_MS, zone: 'UTC' },
		{ clockAt: 'behind the last day', now: Date.parse('2400-01-01'), zone: 'Asia/Kolkata' },
		{ clockAt: 'behind the calendar', now: Date.parse('+010000-01-01'), zone: 'UTC' }
	])('[CUSTOMER-24] is done with the clock at $clockAt', async ({ now, zone }) => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		const { parts, clock } = await openTestPhone(stand.person);
		const phone = await openPhone({ ...parts, zone: () => zone }, stand.person);
		await phone.receive(arriving(stand.texts));
		clock.now = now;
		await phone.markSeen();
		expect(await phone.cancel(h, 'notMe')).toEqual(ok({ hs: [h] }));
		expect(await phone.drop(h)).toEqual(ok({ hs: [h] }));
		const rows = await parts.store.read(['journal'], (read) => read.all('journal'));
		expect(rows.map(({ text }) => parseFact(text).ok)).toEqual([true, true, true]);
	});

	it('[HEIR-13] nothing is answered in a new database under the name of one that was removed', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		const { phone, own, store } = await phoneWith();
		await store.write(['meta'], (rows) => rows.clear('meta'));
		await expect(phone.accept([h])).rejects.toThrow('was removed');
		expect(await own()).toEqual([]);
	});

	it('[CUSTOMER-6] nothing is answered before the relay knows the phone', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		const { phone, own } = await phoneWith('unknown');
		expect(await phone.accept([h])).toEqual(err('notEnrolled'));
		expect(await own()).toEqual([]);
	});

	it('[CUSTOMER-8] to have looked is one fact where something was told, and none otherwise', async () => {
		await stand.book({ kind: 'due', minor: 500 });
		const { phone, own } = await phoneWith();
		await phone.markSeen();
		await phone.markSeen();
		expect(ofKind(await own(), 'seen')).toHaveLength(1);
		expect(phone.view().unread).toBe(0);
		const [h] = phone.view().toAnswer.map((record) => record.h);
		if (h === undefined) throw new Error('nothing waits');
		await phone.accept([h]);
		const reply = ofKind(await own(), 'reply')[0] ?? '';
		await phone.receive(arriving([stand.file(reply)]));
		await phone.markSeen();
		expect(ofKind(await own(), 'seen')).toHaveLength(1);
		await phone.receive(arriving([stand.tell(['dueMove', h, stand.now, 'later'])]));
		await phone.markSeen();
		expect(ofKind(await own(), 'seen')).toHaveLength(2);
		// To have looked is sent too, and is nobody's answer.
		expect((await phone.unsent()).count).toBe(1);
	});

	it('[CUSTOMER-8] what is told by a stamp a little ahead hides nothing that is written before then', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		const { phone, own, clock } = await phoneWith();
		clock.now = stand.now;
		await phone.markSeen();
		// The shop's device is four minutes ahead.
		stand.now += 240_000;
		const moved = stand.tell(['dueMove', h, stand.now, 'later']);
		const toldAt = stand.now;
		stand.now -= 240_000;
		await phone.receive(arriving([moved]));
		await phone.markSeen();
		clock.now += 60_000;
		stand.now = clock.now;
		await stand.book({ kind: 'due', minor: 70 });
		clock.now = stand.now;
		await phone.receive(arriving(stand.texts));
		const unread = phone.view().notices.filter(({ isRead }) => !isRead);
		expect(unread.map(({ kind }) => kind)).toContain('toAnswer');
		await phone.markSeen();
		expect(upTosOf(await own()).at(-1)).toBe(clock.now);
		clock.now = toldAt;
		await phone.markSeen();
		expect(upTosOf(await own()).at(-1)).toBe(toldAt);
		expect(phone.view().unread).toBe(0);
	});

	it('[CUSTOMER-9] two tabs that answer at once each get numbers of their own', async () => {
		const first = await stand.book({ kind: 'due', minor: 500 });
		const second = await stand.book({ kind: 'due', minor: 70 });
		const store = createMemoryDeviceStore();
		const one = await phoneWith(1, store);
		const other = await openTestPhone(stand.person, { number: 1, store, signer: one.signer });
		const done = await Promise.all([one.phone.accept([first]), other.phone.accept([second])]);
		expect(done.every((result) => result.ok)).toBe(true);
		expect((await one.own()).map((text) => replyOf(text).id)).toEqual(['p1-1', 'p1-2']);
		expect(await one.phone.accept([second])).toEqual(err('alreadyAnswered'));
	});

	it('[CUSTOMER-9] what came in before a fault is shown and told, though it moves nothing when it comes again', async () => {
		await stand.book({ kind: 'due', minor: 500 });
		const kept = createMemoryDeviceStore();
		let writesLeft = Infinity;
		const store: DeviceStore = {
			...kept,
			write: (tables, work) => {
				writesLeft -= 1;
				return writesLeft < 0
					? Promise.reject(new Error('connection lost'))
					: kept.write(tables, work);
			}
		};
		const { phone, parts } = await openTestPhone(stand.person, { number: 1, store });
		const booked = ofKind(stand.texts, 'booked');
		await phone.receive(arriving(booked));
		expect(phone.view().shops[0]?.name).toBe('');
		const told: string[] = [];
		parts.changes.on((tables) => told.push(...tables));
		// The card comes in, and what it says of the record’s signature cannot be kept.
		writesLeft = 1;
		await expect(phone.receive(arriving(stand.texts))).rejects.toThrow();
		writesLeft = Infinity;
		await phone.receive(arriving(stand.texts));
		expect(told).toContain('facts');
		expect(phone.view().shops[0]?.name).not.toBe('');
	});

	it('[CUSTOMER-9] a tab hears what another one answered', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		const store = createMemoryDeviceStore();
		const changes = createChanges();
		const one = await phoneWith(1, store);
		const other = await openPhone({ ...one.parts, changes }, stand.person);
		let heard = 0;
		other.on(() => {
			heard += 1;
		});
		one.parts.changes.on((tables) => {
			changes.tell(tables);
		});
		await one.phone.accept([h]);
		await other.markSeen();
		expect(other.view().shops[0]?.records[0]?.standing.kind).toBe('agreedHere');
		expect(heard).toBeGreaterThan(0);
	});
});

describe('what arrives', () => {
	it('[CUSTOMER-4] a record is checked when its shop’s key comes, also after a restart', async () => {
		const key = encodeBase64url(stand.signer.publicKey);
		stand.texts.splice(0);
		const h = await stand.book({ kind: 'due', minor: 500 });
		const store = createMemoryDeviceStore();
		const { phone, parts } = await phoneWith(1, store);
		expect(phone.view().shops[0]?.records[0]?.check).toBe('cannotBeCheckedYet');
		await phone.receive(arriving([stand.card({ devices: [['A', key, 0, 0] as never] })]));
		expect(phone.view().shops[0]?.records[0]).toMatchObject({ h, check: 'verified' });

		// What was found out is kept: no signature is looked at again.
		let verified = 0;
		const crypto = {
			...parts.crypto,
			verify: (...asked: Parameters<typeof parts.crypto.verify>) => {
				verified += 1;
				return parts.crypto.verify(...asked);
			}
		};
		const again = await openPhone({ ...parts, crypto }, stand.person);
		expect(again.view().shops[0]?.records[0]?.check).toBe('verified');
		expect(verified).toBe(0);
	});

	it('[CUSTOMER-4] a record that another key signed counts nowhere, also after a restart', async () => {
		const thief = await createSigner(await createSigningKeys());
		await stand.book({ kind: 'due', minor: 500, signer: { ...thief, kid: stand.signer.kid } });
		const { phone, parts } = await phoneWith();
		expect(phone.view().shops[0]).toMatchObject({ forged: 1, records: [] });
		const again = await openPhone(parts, stand.person);
		expect(again.view()).toMatchObject({ toAnswer: [], shops: [{ forged: 1, records: [] }] });
	});

	it('[CUSTOMER-23] are checked by keys that are gathered once, however often their shop had its card told', async () => {
		const devices = cardKeys(stand.signer.publicKey);
		for (let times = 0; times < 5; times += 1) stand.card({ devices });
		const { phone } = await phoneWith();
		const shop = shopId(shopOf(stand));
		const facts = vi.fn(() => ({ cards: [] }));
		const keysOf = gatherKeys({ facts });
		const first = keysOf(shop);
		for (let record = 0; record < 250; record += 1) expect(keysOf(shop)).toBe(first);
		expect(facts).toHaveBeenCalledTimes(1);
		for (let minor = 1; minor <= 20; minor += 1) await stand.book({ kind: 'due', minor });
		await phone.receive(arriving(stand.texts));
		expect(phone.view().shops[0]?.records.map(({ check }) => check)).toEqual(
			Array(20).fill('verified')
		);
	});

	it('[CUSTOMER-4] what is no fact of a person is left out, an unknown kind or form is kept uncounted', async () => {
		const { phone } = await phoneWith();
		const before = phone.view();
		await phone.receive(
			arriving(['', '[]', '["A-1","setting",1,0,20000,1,{"name":"x"}]', stand.texts[0] ?? ''])
		);
		expect(phone.view()).toEqual(before);
		await phone.receive(
			arriving(['["0.1-77","loan",1,0,20000,0,{"x":1}]', '["0.1-78","card",1,0,20000,0,{"x":1}]'])
		);
		expect(phone.view()).toEqual({ ...before, newer: 2 });
	});

	it('[CUSTOMER-9] a phone whose own facts come back to it goes on behind them', async () => {
		const first = await stand.book({ kind: 'due', minor: 500 });
		const second = await stand.book({ kind: 'due', minor: 70 });
		const lost = await phoneWith();
		await lost.phone.accept([first]);
		const restored = await openTestPhone(stand.person, { number: 1, signer: lost.signer });
		await restored.phone.receive(arriving([...stand.texts, ...(await lost.own())]));
		await restored.phone.accept([second]);
		expect((await restored.own()).map((text) => replyOf(text).id)).toEqual(['p1-2']);
	});
});

describe('codes', () => {
	const secret = new Uint8Array(32).fill(7);

	it('[CUSTOMER-5] open codes and used ones have digits; the secret is not to be read', async () => {
		stand.codes({ open: [1, 2, 4, 5, 6], used: [3] });
		const { phone, store } = await phoneWith();
		expect(await phone.codesOf(shopOf(stand))).toEqual(err('secretMissing'));
		await phone.keepSecrets([secret]);
		const sheets = await phone.codesOf(shopOf(stand));
		if (!sheets.ok) throw new Error('no codes');
		const [sheet] = sheets.value;
		expect(sheet?.codes.map(({ counter }) => counter)).toEqual([1, 2, 3, 4, 5, 6]);
		const all = sheet?.codes.flatMap(({ digits }) => digits ?? []) ?? [];
		expect(all.every((digits) => /^\d{8}$/.test(digits))).toBe(true);
		expect(new Set(all).size).toBe(6);
		const [kept] = (await store.read(['meta'], (read) => readMeta(read, 'secrets'))) ?? [];
		if (kept === undefined) throw new Error('no secret was kept');
		expect(kept.key.extractable).toBe(false);
		await expect(globalThis.crypto.subtle.exportKey('raw', kept.key)).rejects.toThrow();
	});

	it('[CUSTOMER-5] a phone of before there was a second secret shows its codes, with no network', async () => {
		stand.codes({});
		const { phone, store } = await phoneWith();
		const key = await importSecret(secret);
		await store.write(['meta'], (rows) => writeMeta(rows, 'secret', key));
		const digits = async (): Promise<readonly unknown[]> => {
			const sheets = await phone.codesOf(shopOf(stand));
			return sheets.ok ? sheets.value.flatMap(({ codes }) => codes.map((one) => one.digits)) : [];
		};
		const before = await digits();
		expect(before).toHaveLength(5);
		expect(await phone.lacksSecret()).toBe(false);
		// A set that names its secret is made from that; what it is told later tells no other digits.
		const second = new Uint8Array(32).fill(8);
		await phone.keepSecrets([second, secret]);
		expect(await digits()).toEqual(before);
		const named = await secretId(second, createWebCrypto());
		await phone.receive(arriving([stand.card({ epoch: 2, secret: named }), stand.codes({})]));
		expect(await phone.lacksSecret()).toBe(false);
		expect((await digits()).filter((one) => one !== undefined)).toHaveLength(5);
	});

	it('[CUSTOMER-5] a set that is over has no digits, and an unknown shop no set', async () => {
		stand.codes({});
		const { phone } = await phoneWith();
		await phone.keepSecrets([secret]);
		await phone.receive(arriving([stand.card({ state: 'ended', endedBy: 'shop' })]));
		const sheets = await phone.codesOf(shopOf(stand));
		expect(sheets.ok && sheets.value[0]?.codes.every(({ digits }) => digits === undefined)).toBe(
			true
		);
		const other = { ...shopOf(stand), ledger: uuid(9, 0xc) as never };
		expect(await phone.codesOf(other)).toEqual(err('shopUnknown'));
	});
});

describe('the line', () => {
	const links: RelayLink[] = [];

	function linked(test: TestPhone, relay: FakeRelay, seed = 1): RelayLink {
		const link = createRelayLink({
			device: test.phone.linked,
			store: test.store,
			changes: test.parts.changes,
			documents: createMemoryDocumentsHost(seeded(seed)),
			...relay.line(test.phone.identity.code ?? ''),
			clock: test.parts.clock,
			random: seeded(seed),
			timers: shortTimers(20),
			correctsClock: false,
			onFault: (fault) => {
				throw fault;
			}
		});
		links.push(link);
		return link;
	}

	/** What the relay has of its own: the shops' side comes by the feed. */
	function relayWith(texts: readonly string[]): FakeRelay {
		const relay = createFakeRelay();
		for (const text of texts) relay.feed.push({ s: relay.feed.length + 1, branch: null, text });
		return relay;
	}

	beforeEach(() => async () => {
		for (const link of links.splice(0)) await link.stop();
	});

	it('[CUSTOMER-2] an answer given offline is sent once the relay is reached', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		const relay = relayWith(stand.texts);
		const test = await openTestPhone(stand.person, { number: 1 });
		const link = linked(test, relay);
		await link.start();
		await until(() => test.phone.view().toAnswer.length > 0);
		expect(test.phone.view().toAnswer.map((record) => record.h)).toEqual([h]);
		relay.isUp = false;
		await test.phone.accept([h]);
		expect((await test.phone.unsent()).count).toBe(1);
		relay.isUp = true;
		link.wake();
		await until(async () => (await test.phone.unsent()).count === 0);
		expect(
			ofKind(
				relay.feed.map(({ text }) => text),
				'reply'
			)
		).toHaveLength(1);
	});

	it('[CUSTOMER-2] killed between saved and sent, the answer is sent, once', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		const relay = relayWith(stand.texts);
		const store = createMemoryDeviceStore();
		const before = await phoneWith(1, store);
		await before.phone.accept([h]);
		before.phone.close();
		const after = await openTestPhone(stand.person, { number: 1, store, signer: before.signer });
		expect(after.phone.view().shops[0]?.records[0]?.standing.kind).toBe('agreedHere');
		await linked(after, relay).start();
		await until(async () => (await after.phone.unsent()).count === 0);
		expect(
			ofKind(
				relay.feed.map(({ text }) => text),
				'reply'
			)
		).toEqual(await after.own());
	});

	it('[CUSTOMER-3] two phones that answer apart come to one view', async () => {
		const first = await stand.book({ kind: 'due', minor: 500 });
		const second = await stand.book({ kind: 'due', minor: 70 });
		const relay = relayWith(stand.texts);
		const one = await phoneWith(1);
		const other = await phoneWith(2);
		await one.phone.accept([first]);
		await one.phone.cancel(second, 'notMe');
		await other.phone.cancel(first, 'alreadyPaid');
		await other.phone.accept([second]);
		await linked(one, relay, 1).start();
		await linked(other, relay, 2).start();
		const isEqual = (): boolean =>
			JSON.stringify(one.phone.view(), plain) === JSON.stringify(other.phone.view(), plain);
		await until(async () => {
			const [a, b] = await Promise.all([one.phone.unsent(), other.phone.unsent()]);
			return a.count + b.count === 0 && isEqual();
		});
		expect(one.phone.view()).toEqual(other.phone.view());
		for (const text of [...(await one.own()), ...(await other.own())]) {
			const filed = stand.file(text);
			await one.phone.receive(arriving([filed]));
			await other.phone.receive(arriving([filed]));
		}
		const shop = one.phone.view().shops[0];
		// A signature says yes for good, whatever the other phone said.
		expect(shop?.totals[0]).toMatchObject({ total: 570n, agreed: 570n, disputed: 0n });
		expect(one.phone.view()).toEqual(other.phone.view());
	});

	it('[CUSTOMER-18] an answer that comes again under the name of a phone’s heir is one', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		const one = await phoneWith(1);
		await one.phone.cancel(h, 'notMe');
		const [text = ''] = await one.own();
		const again = ['p2-1', 'p3-4'].map((id) => text.replace('["p1-1"', `[["${id}","p1-1"]`));
		for (const texts of permutations([text, ...again])) {
			const other = await phoneWith(9);
			const before = await other.store.read(['facts'], (rows) => rows.count('facts'));
			await other.phone.receive(arriving(texts.slice(0, 1)));
			await other.phone.receive(arriving(texts));
			expect(await other.store.read(['facts'], (rows) => rows.count('facts'))).toBe(before + 1);
			const reopened = await phoneWith(9, other.store);
			await reopened.phone.receive(arriving(texts));
			expect(reopened.phone.view()).toEqual(other.phone.view());
			expect(other.phone.view().shops[0]?.totals[0]).toMatchObject({ disputed: 500n });
		}
	});

	it('[CUSTOMER-6] a phone that the relay does not know opens no line until it does', async () => {
		await stand.book({ kind: 'due', minor: 500 });
		const relay = relayWith(stand.texts);
		const test = await openTestPhone(stand.person, { number: undefined });
		const link = linked(test, { ...relay, line: () => relay.line('p3') });
		await link.start();
		await relay.quiet();
		expect(link.status.state).toBe('notJoined');
		expect(test.phone.view().shops).toEqual([]);
		await test.phone.markEnrolled({ code: 'p3', epoch: 1, year: 2026 });
		await until(() => Promise.resolve(test.phone.view().toAnswer.length === 1));
		expect(link.status.state).toBe('online');
	});
});

function plain(_name: string, value: unknown): unknown {
	return typeof value === 'bigint' ? value.toString() : value;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
	for (let tries = 0; tries < 400; tries += 1) {
		if (await holds()) return;
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	throw new Error('it never came to that');
}

it('[CUSTOMER-7] each person has a database of his own', async () => {
	const mother = parsePersonId(uuid(7, 0xe));
	if (!mother.ok) throw new Error('no person');
	const h = await stand.book({ kind: 'due', minor: 500 });
	const own = await phoneWith();
	const hers = await openTestPhone(mother.value, { number: 1 });
	await own.phone.accept([h]);
	expect(hers.phone.view().shops).toEqual([]);
	expect(await hers.phone.accept([h])).toEqual(err('recordUnknown'));
	expect((await hers.phone.unsent()).count).toBe(0);
	expect((await own.phone.unsent()).count).toBe(1);
});
