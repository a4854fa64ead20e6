import { expect, it } from 'vitest';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { relayTongue } from '#tests/support/relay-facts.ts';
import { ok } from '#domain/result.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import { App } from './app.svelte.ts';
import type { ShopConnections } from './connections.ts';
import { CounterSheet } from './counter-sheet.svelte.ts';

interface Counter {
	readonly app: App;
	readonly sheet: CounterSheet;
	readonly codes: readonly string[];
}

/** Amina, connected, with five codes up to 1,000, is asked about one due. */
async function counter(minor: number): Promise<Counter> {
	const test = await openTestDevice({ seed: 3, currency: 'GBP' });
	const { device, book, store, parts } = test;
	const added = await device.addCustomer({ name: 'Amina' });
	if (!added.ok) throw new Error('no customer');
	const ledger = added.value;
	const relay = relayTongue(test, ledger);
	await relay.link({ state: 'linked', way: 'app', epoch: 1, at: 1 });
	const codes = await relay.sheet({ cap: 1_000 });
	const written = await device.writeRecords(ledger, [{ kind: 'due', minor }]);
	if (!written.ok) throw new Error('no due');
	const rows = await store.read(['records'], (read) => read.all('records'));
	const hs: readonly RecordHash[] = rows.map(({ h }) => h);
	const shelf = { getItem: () => null, setItem: () => undefined };
	const { changes, signer, clock } = parts;
	const app = new App({ device, book, store, changes, signer, clock, shelf });
	const question = {
		ledger,
		hs,
		name: 'Amina',
		side: 'took' as const,
		sumMinor: minor,
		currency: 'GBP',
		exponent: 2
	};
	const sheet = new CounterSheet(app, question);
	return { app, sheet, codes };
}

it('[COUNTER-1] takes a code in groups, and says that it fits', async () => {
	const { sheet, codes } = await counter(1_000);
	const [code = ''] = codes;
	sheet.pickPaper();
	for (const key of code.slice(0, 5)) sheet.press(key);
	expect(sheet.grouped).toBe(`${code.slice(0, 4)} ${code.slice(4, 5)}`);
	expect(sheet.isWhole).toBe(false);
	await sheet.take();
	expect(sheet.refusal).toEqual({ kind: 'tooShort', digits: 5 });
	for (const key of code.slice(5)) sheet.press(key);
	expect([sheet.refusal, sheet.isWhole]).toEqual([undefined, true]);
	await Promise.all([sheet.take(), sheet.take()]);
	expect(sheet.step).toMatchObject({ kind: 'fits', claimed: { left: 4 } });
});

it('[COUNTER-1] ends at its last try, and Later is there all the same', async () => {
	const { sheet } = await counter(500);
	sheet.pickPaper();
	for (const left of [2, 1, 0]) {
		sheet.typed = '00000000';
		await sheet.take();
		expect(sheet.refusal).toMatchObject({ kind: 'doesNotFit', leftOfRecord: left });
		expect(sheet.typed).toBe('');
	}
	expect(sheet.step).toEqual({ kind: 'locked', of: 'record' });
	sheet.later();
	expect(sheet.step).toEqual({ kind: 'later' });
});

it('[COUNTER-1] stays where its person went on while a message was being sent', async () => {
	const { app, sheet, codes } = await counter(500);
	const sent = { to: '…678', send: 1, expiresAt: 9, practice: false };
	let answer = (): void => undefined;
	const sendSms: ShopConnections['sendSms'] = () =>
		new Promise(
			(resolve) =>
				(answer = () => {
					resolve(ok(sent));
				})
		);
	app.connections = { sendSms } as ShopConnections;
	const sending = sheet.pickSms();
	await new Promise((resolve) => setImmediate(resolve));
	sheet.pickPaper();
	sheet.typed = codes[0]?.slice(0, 4) ?? '';
	answer();
	await sending;
	expect([sheet.step, sheet.typed]).toEqual([
		{ kind: 'typing', way: 'paper' },
		codes[0]?.slice(0, 4)
	]);
	sheet.back();
	const again = sheet.pickSms();
	await new Promise((resolve) => setImmediate(resolve));
	answer();
	await again;
	expect(sheet.step).toEqual({ kind: 'typing', way: 'sms' });
});

it('[COUNTER-1] tells what is over the cap, and no try is spent', async () => {
	const { sheet, codes } = await counter(1_001);
	sheet.pickPaper();
	sheet.typed = codes[0] ?? '';
	await sheet.take();
	expect(sheet.refusal).toEqual({ kind: 'overTheCap', capMinor: 1_000, sumMinor: 1_001 });
	expect(sheet.typed).toBe(codes[0]);
	expect(sheet.step).toEqual({ kind: 'typing', way: 'paper' });
});
