import { expect, it } from 'vitest';
import { firstText } from '#domain/fact/issued-again.ts';
import { ok } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { arriving, openTestPhone } from '#tests/support/customer-phone.ts';
import { createCustomerStand } from '#tests/support/customer-stand.ts';
import { createInterruptedStore } from '#tests/support/interrupted-store.ts';
import { asSent } from '../have.ts';
import { isOldBookSpent } from '../heir.ts';
import { readMeta, writeMeta } from '../meta.ts';
import type { RelayHttp } from '../relay-http.ts';
import { createSigner, createSigningKeys } from '../web-crypto.ts';
import { becomePhoneHeir, carryPhoneOver, type PhoneHeirParts } from './phone-heir.ts';

async function firstTexts(store: DeviceStore): Promise<readonly string[]> {
	const rows = await store.read(['journal'], (read) => read.all('journal'));
	return rows.map(({ text }) => firstText(text));
}

async function withAnswer() {
	const stand = await createCustomerStand();
	stand.card();
	const h = await stand.book({ kind: 'due', minor: 500 });
	const late = await stand.book({ kind: 'due', minor: 700 });
	const test = await openTestPhone(stand.person);
	await test.phone.receive(arriving(stand.texts));
	expect((await test.phone.accept([h])).ok).toBe(true);
	return { stand, test, late };
}

async function heirOf(
	{ stand, test }: Awaited<ReturnType<typeof withAnswer>>,
	meanwhile: () => Promise<unknown>,
	{ store = createMemoryDeviceStore(), epoch = 1 } = {}
): Promise<DeviceStore> {
	const http: Pick<RelayHttp, 'feed'> = {
		feed: () => Promise.resolve(ok({ kind: 'page', rows: [], last: 0, isOver: true }))
	};
	const parts: PhoneHeirParts = {
		...test.parts,
		person: stand.person,
		old: test.store,
		oldName: 'old',
		oldSigner: test.signer,
		openBook: () => store,
		createKeys: createSigningKeys,
		signerOf: createSigner,
		api: {
			takePlace: () => Promise.resolve(ok({ code: 'p2', epoch, year: 2026 })),
			as: () => ({
				http: http as RelayHttp,
				lacking: async (facts) => {
					await meanwhile();
					return ok(facts.map(([id]) => id));
				}
			})
		}
	};
	expect((await becomePhoneHeir(parts)).ok).toBe(true);
	return store;
}

it('[HEIR-8] an answer that is given while the heir’s book is made is issued again too', async () => {
	const given = await withAnswer();
	const { test, late } = given;
	const heir = await heirOf(given, () => test.phone.accept([late]));
	expect(await firstTexts(heir)).toHaveLength(2);
	expect(await firstTexts(heir)).toEqual(await firstTexts(test.store));
	expect(await isOldBookSpent(test.store, heir)).toBe(false);
});

it('[HEIR-4] what is answered in the old book later is taken over, though the heir’s is written in', async () => {
	const given = await withAnswer();
	const { test, late } = given;
	const heir = await heirOf(given, () => Promise.resolve());
	expect((await test.phone.accept([late])).ok).toBe(true);
	let isMoved = false;
	// Another tab of the heir's book writes between the look and the write.
	const moving: DeviceStore = {
		...heir,
		write: async (tables, work) => {
			if (!isMoved) {
				isMoved = true;
				await heir.write(['meta'], async (rows) => {
					const held = await readMeta(rows, 'sequence');
					await writeMeta(rows, 'sequence', { n: (held?.n ?? 0) + 1, receipt: 0 });
				});
			}
			return heir.write(tables, work);
		}
	};
	const { crypto } = test.parts;
	expect(await carryPhoneOver({ old: test.store, crypto, store: moving })).toBe(1);
	expect(await firstTexts(heir)).toEqual(await firstTexts(test.store));
});

it('[HEIR-6] what others wrote and a restored relay forgot comes along, and is handed in', async () => {
	const given = await withAnswer();
	const { stand, test } = given;
	const [answer = ''] = await test.own();
	const filed = stand.file(answer, test.signer.publicKey);
	await test.phone.receive(arriving([filed]));
	await test.store.write(['meta'], (rows) => writeMeta(rows, 'epoch', 0));
	const heir = await heirOf(given, () => Promise.resolve());
	const { texts, carry } = await heir.read(['facts', 'meta'], async (rows) => ({
		texts: (await rows.all('facts')).map(({ text }) => text),
		carry: await readMeta(rows, 'carry')
	}));
	expect(texts).toEqual(expect.arrayContaining(stand.texts));
	expect(carry).toMatchObject({ epoch: 1, code: '', n: 0, isDone: false });
	// One signature is one answer, whoever issued it again.
	expect(texts.map(firstText)).toContain(answer);
	expect(texts).toHaveLength(stand.texts.length + 1);
});

it('[HEIR-6] is handed in, though the heir’s book was begun before the relay was restored', async () => {
	const given = await withAnswer();
	await given.test.store.write(['meta'], (rows) => writeMeta(rows, 'epoch', 1));
	const store = createMemoryDeviceStore();
	const killed = (): Promise<never> => Promise.reject(new Error('killed'));
	await expect(heirOf(given, killed, { store })).rejects.toThrow('killed');
	expect(await store.read(['meta'], (rows) => readMeta(rows, 'carry'))).toBeUndefined();
	await heirOf(given, () => Promise.resolve(), { store, epoch: 2 });
	const { texts, carry } = await store.read(['facts', 'meta'], async (rows) => ({
		texts: (await rows.all('facts')).map(({ text }) => text),
		carry: await readMeta(rows, 'carry')
	}));
	expect(texts).toEqual(expect.arrayContaining(given.stand.texts));
	expect(carry).toMatchObject({ epoch: 2, code: '', n: 0, isDone: false });
});

it('[HEIR-8] an answer that the relay lost is given again, though the heir’s book was begun before that', async () => {
	const given = await withAnswer();
	const { test, late } = given;
	await test.store.write(['meta', 'journal'], async (rows) => {
		await writeMeta(rows, 'epoch', 1);
		await rows.put('journal', (await rows.all('journal')).map(asSent));
	});
	expect((await test.phone.accept([late])).ok).toBe(true);
	const { store: old, beforeWrite } = createInterruptedStore(test.store);
	const store = createMemoryDeviceStore();
	// Killed before the book of before says that its heir's is whole.
	const meanwhile = (): Promise<void> => {
		beforeWrite(() => Promise.reject(new Error('killed')));
		return Promise.resolve();
	};
	const cutOff = heirOf({ ...given, test: { ...test, store: old } }, meanwhile, { store });
	await expect(cutOff).rejects.toThrow('killed');
	expect(await firstTexts(store)).toHaveLength(1);
	await heirOf(given, () => Promise.resolve(), { store, epoch: 2 });
	const [unsent, ...lost] = await firstTexts(store);
	expect([...lost, unsent]).toEqual(await firstTexts(test.store));
	await heirOf(given, () => Promise.resolve(), { store, epoch: 2 });
	expect(await firstTexts(store)).toHaveLength(2);
});
