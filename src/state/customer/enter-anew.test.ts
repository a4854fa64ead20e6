import { describe, expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { Signer } from '#domain/crypto.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { arriving, openTestPhone, type TestPhone } from '#tests/support/customer-phone.ts';
import { createCustomerStand, type CustomerStand } from '#tests/support/customer-stand.ts';
import type { ApiRefusal } from '../account-api.ts';
import { asSent, unmarkSent } from '../have.ts';
import { readMeta, writeMeta } from '../meta.ts';
import type { RelayHttp } from '../relay-http.ts';
import { createSigner, createSigningKeys } from '../web-crypto.ts';
import type { Enrolled } from './connections.ts';
import { answerAgain, enterAnew } from './enter-anew.ts';

interface Out {
	readonly stand: CustomerStand;
	readonly test: TestPhone;
	readonly due: RecordHash;
	readonly wrong: RecordHash;
	readonly later: RecordHash;
	/** The books of this device, by code. */
	readonly books: Map<string, DeviceStore>;
	/** The keys that asked for a place, and the numbers that were given back. */
	readonly asked: string[];
}

/** A phone that answered two records and was let in no more. */
async function phoneThatIsOut(): Promise<Out> {
	const stand = await createCustomerStand();
	stand.card();
	const due = await stand.book({ kind: 'due', minor: 500 });
	const wrong = await stand.book({ kind: 'due', minor: 700 });
	const later = await stand.book({ kind: 'due', minor: 900 });
	const test = await openTestPhone(stand.person);
	await test.phone.receive(arriving(stand.texts));
	expect((await test.phone.accept([due])).ok).toBe(true);
	expect((await test.phone.cancel(wrong, 'wrongAmount', 'it was 70')).ok).toBe(true);
	return { stand, test, due, wrong, later, books: new Map(), asked: [] };
}

type Enrol = (signer: Signer) => Result<Enrolled, ApiRefusal>;
const given: Enrol = () => ok({ code: 'p2', epoch: 1, year: 2026 });

function enter(
	out: Out,
	enrol: Enrol = given,
	atRelay: readonly string[] = out.stand.texts
): ReturnType<typeof enterAnew> {
	const { stand, test, books, asked } = out;
	const rows = arriving(atRelay).map((fact, place) => ({ ...fact, s: place + 1 }));
	const http: Pick<RelayHttp, 'feed'> = {
		feed: ({ s }) =>
			Promise.resolve(
				ok({
					kind: 'page',
					rows: rows.filter((row) => row.s > s),
					last: rows.length,
					isOver: true
				})
			)
	};
	return enterAnew({
		...test.parts,
		person: stand.person,
		old: test.store,
		oldName: 'old',
		openBook: (code) => {
			const store = books.get(code) ?? createMemoryDeviceStore();
			books.set(code, store);
			return { ...store, close: () => undefined };
		},
		createKeys: createSigningKeys,
		signerOf: createSigner,
		api: {
			enrol: (_person, signer) => {
				asked.push(encodeBase64url(signer.kid));
				return Promise.resolve(enrol(signer));
			},
			dismissPhone: ({ code }) => {
				asked.push(code);
				return Promise.resolve(ok(undefined));
			},
			as: () => ({ http: http as RelayHttp, lacking: () => Promise.resolve(ok([])) })
		}
	});
}

async function answersIn(store: DeviceStore | undefined): Promise<readonly unknown[]> {
	const rows = await store?.read(['journal'], (read) => read.all('journal'));
	return (rows ?? []).map(({ id, text, sent }) => {
		const fact = parseFact(text);
		if (!fact.ok || fact.value.kind !== 'reply') throw new Error('no answer');
		const { h, decision, note, kid } = fact.value;
		return { id, h, decision, note, kid, sent };
	});
}

/** The relay said to have all that the phone has, and filed it. */
async function acknowledge({ stand, test }: Out): Promise<void> {
	for (const text of await test.own()) stand.file(text, test.signer.publicKey);
	await test.phone.receive(arriving(stand.texts));
	await test.store.write(['journal', 'meta'], async (rows) => {
		await rows.put('journal', (await rows.all('journal')).map(asSent));
		await writeMeta(rows, 'epoch', 1);
	});
}

async function kindsIn(store: DeviceStore | undefined): Promise<readonly string[]> {
	const rows = await store?.read(['facts'], (read) => read.all('facts'));
	return (rows ?? []).map(({ kind }) => kind).toSorted();
}

describe('a phone that is let in no more', () => {
	it('[CUSTOMER-12] gets a number and a key of its own, and gives its answers once more', async () => {
		const out = await phoneThatIsOut();
		const { test, due, wrong, books, asked } = out;
		expect(await enter(out)).toEqual(ok('p2'));
		const [kid] = asked;
		const of = { kid, sent: 0 };
		const said = [
			{ ...of, id: 'p2-1', h: due, decision: 'accept', note: '' },
			{ ...of, id: 'p2-2', h: wrong, decision: 'cancel', note: 'it was 70' }
		];
		expect(await answersIn(books.get('p2'))).toEqual(said);
		expect(await answersIn(test.store)).toMatchObject([{ sent: 1 }, { sent: 1 }]);
		const heir = await test.store.read(['meta'], (rows) => readMeta(rows, 'heir'));
		expect(heir?.code).toBe('p2');
		expect(kid).not.toBe(encodeBase64url(test.signer.kid));

		expect(await enter(out)).toEqual(ok('p2'));
		expect(asked).toEqual([kid, kid]);
		expect(await answersIn(books.get('p2'))).toEqual(said);
	});

	it('[CUSTOMER-12] gives what another tab answered there since, and keeps what is of no record yet', async () => {
		const out = await phoneThatIsOut();
		const { stand, test, later } = out;
		await enter(out);
		await test.phone.accept([later]);
		const next = await openTestPhone(stand.person, { number: 2 });
		await answerAgain(test.store, next.phone);
		expect(await next.own()).toEqual([]);
		await next.phone.receive(arriving(stand.texts));
		await answerAgain(test.store, next.phone);
		await answerAgain(test.store, next.phone);
		expect(await answersIn(next.store)).toMatchObject([{ id: 'p2-1', h: later }]);
	});

	it('[CUSTOMER-17] signs no old yes over a no that she said since, on this phone or another', async () => {
		const { stand, test, due } = await phoneThatIsOut();
		const next = await openTestPhone(stand.person, { number: 2 });
		await next.phone.receive(arriving(stand.texts));
		expect((await next.phone.cancel(due, 'wrongAmount', 'it was 50')).ok).toBe(true);
		await answerAgain(test.store, next.phone);
		expect(await answersIn(next.store)).toMatchObject([
			{ decision: 'cancel' },
			{ note: 'it was 70' }
		]);
		expect((await test.phone.unsent()).count).toBe(0);
	});

	it('[CUSTOMER-17] signs no old yes over a no of another phone, though she said no here before it', async () => {
		const { stand, test, wrong } = await phoneThatIsOut();
		test.clock.now += 60_000;
		expect((await test.phone.drop(wrong)).ok).toBe(true);
		const other = await openTestPhone(stand.person, { number: 3 });
		other.clock.now = test.clock.now + 60_000;
		await other.phone.receive(arriving(stand.texts));
		await other.phone.cancel(wrong, 'notMe');
		for (const text of await other.own()) stand.file(text, other.signer.publicKey);
		const next = await openTestPhone(stand.person, { number: 2 });
		await next.phone.receive(arriving(stand.texts));
		await answerAgain(test.store, next.phone);
		expect(await answersIn(next.store)).toMatchObject([{ decision: 'accept' }]);
	});

	it('[CUSTOMER-17] gives the last of what she said of a record, over her no that she had let go', async () => {
		const { stand, test, due, wrong } = await phoneThatIsOut();
		const next = await openTestPhone(stand.person, { number: 2 });
		for (const text of await test.own()) stand.file(text, test.signer.publicKey);
		await next.phone.receive(arriving(stand.texts));
		test.clock.now += 60_000;
		expect((await test.phone.drop(wrong)).ok).toBe(true);
		await answerAgain(test.store, next.phone);
		expect(await answersIn(next.store)).toMatchObject([{ h: wrong, decision: 'accept' }]);

		const third = await openTestPhone(stand.person, { number: 3 });
		await third.phone.receive(arriving(stand.texts.slice(0, 4)));
		await unmarkSent(test.store);
		await answerAgain(test.store, third.phone);
		expect(await answersIn(third.store)).toMatchObject([
			{ h: due, decision: 'accept' },
			{ h: wrong, decision: 'accept' }
		]);
	});

	it('[CUSTOMER-12] stays as it is where it is refused, and takes another key where one was removed', async () => {
		const out = await phoneThatIsOut();
		const { test, asked, books } = out;
		expect(await enter(out, () => err('notSignedIn'))).toEqual(err('notSignedIn'));
		expect(await enter(out, () => err('deviceRemoved'))).toEqual(err('deviceRemoved'));
		expect(asked[1]).toBe(asked[0]);
		expect((await test.phone.unsent()).count).toBe(2);
		expect(await enter(out)).toEqual(ok('p2'));
		expect(asked[2]).not.toBe(asked[0]);
		expect(books.size).toBe(1);
	});

	it('[CUSTOMER-12] one that was let go before it heard of its number gets another, under a key of its own', async () => {
		const stand = await createCustomerStand();
		stand.card();
		const due = await stand.book({ kind: 'due', minor: 500 });
		const test = await openTestPhone(stand.person, { number: undefined });
		const books = new Map<string, DeviceStore>();
		const asked: string[] = [];
		const out: Out = { stand, test, due, wrong: due, later: due, books, asked };
		expect(await enter(out)).toEqual(ok('p2'));
		expect(asked).not.toContain(encodeBase64url(test.signer.kid));
		const heir = await test.store.read(['meta'], (rows) => readMeta(rows, 'heir'));
		expect(heir?.code).toBe('p2');
		expect(await kindsIn(books.get('p2'))).toEqual(['booked', 'card']);
	});

	it('[CUSTOMER-12] goes on under the next number where the book of this one is here already', async () => {
		const out = await phoneThatIsOut();
		const { stand, test, asked, books } = out;
		const before = await openTestPhone(stand.person, { number: 2 });
		books.set('p2', before.store);
		expect(await enter(out)).toEqual(err('busy'));
		expect(asked[1]).toBe('p2');
		expect((await test.phone.unsent()).count).toBe(2);
		expect(await enter(out, () => ok({ code: 'p3', epoch: 1, year: 2026 }))).toEqual(ok('p3'));
		expect(await answersIn(books.get('p3'))).toHaveLength(2);
		expect(await answersIn(before.store)).toEqual([]);
	});

	it('[CUSTOMER-15] gives what a relay had that was restored since, and hands in what it forgot of others', async () => {
		const out = await phoneThatIsOut();
		const { stand, test, due, wrong, books } = out;
		const [card = ''] = stand.texts;
		await acknowledge(out);
		// Of the epoch before: the card alone is in the backup.
		const restored = () => enter(out, () => ok({ code: 'p2', epoch: 2, year: 2026 }), [card]);
		expect(await restored()).toEqual(ok('p2'));
		const said = [
			{ id: 'p2-1', h: due, decision: 'accept', sent: 0 },
			{ id: 'p2-2', h: wrong, decision: 'cancel', note: 'it was 70', sent: 0 }
		];
		const book = books.get('p2');
		expect(await answersIn(book)).toMatchObject(said);
		expect(await kindsIn(book)).toEqual(['booked', 'booked', 'booked', 'card', 'reply', 'reply']);
		const carry = await book?.read(['meta'], (rows) => readMeta(rows, 'carry'));
		expect(carry).toMatchObject({ epoch: 2, code: '', n: 0, isDone: false });

		expect(await restored()).toEqual(ok('p2'));
		expect(await answersIn(book)).toMatchObject(said);
		expect(await answersIn(test.store)).toMatchObject([{ sent: 1 }, { sent: 1 }]);
	});

	it('[CUSTOMER-15] gives again what it was cut off before, and nothing that the relay still has', async () => {
		const out = await phoneThatIsOut();
		const { stand, test, due, later, books } = out;
		const records = [...stand.texts];
		await acknowledge(out);
		// One record is not known where it is given: it waits.
		await test.phone.accept([later]);
		const next = await openTestPhone(stand.person, { number: 2 });
		await unmarkSent(test.store);
		await next.phone.receive(arriving(records.slice(0, 2)));
		await answerAgain(test.store, next.phone);
		expect(await answersIn(next.store)).toMatchObject([{ h: due }]);
		expect(await answersIn(test.store)).toMatchObject([{ sent: 1 }, { sent: 0 }, { sent: 0 }]);

		// In the same epoch what it said to have it has: the last answer alone is given.
		expect(await enter(out)).toEqual(ok('p2'));
		expect(await answersIn(books.get('p2'))).toMatchObject([{ id: 'p2-1', h: later }]);
		expect(await books.get('p2')?.read(['meta'], (rows) => readMeta(rows, 'carry'))).toBe(
			undefined
		);
	});
});
