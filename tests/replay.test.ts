import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenOn } from '#server/commands/replay/own-server.ts';
import { replay } from '#server/commands/replay/replay.ts';
import { createTestDatabase } from './support/database.ts';

const SLICE = path.resolve('tests/fixtures/online-retail-slice.csv');
/** By a script of another language over the same file. */
const TRADE = {
	sales: 34,
	returns: 12,
	adjustments: 7,
	saleLines: 237,
	returnLines: 14,
	salesMinor: 1_095_239,
	returnsMinor: 91_284,
	products: 220,
	customers: 26,
	balanceMinor: 1_048_067,
	stockUnits: -6_998,
	skipped: {},
	devicesAgree: true,
	databaseAgrees: true
};
const UNDISTURBED = new Promise<never>(() => undefined);

let folder = '';
beforeEach(async () => {
	folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-replay-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ended {
	readonly code: number | null;
	readonly said: string;
	readonly progress: string;
}

/** Runs the command in a process of its own, whose temporary files stand in `folder`. */
async function run(args: readonly string[], interruptAt?: RegExp): Promise<Ended> {
	const child = spawn(process.execPath, ['server/commands/replay.ts', ...args], {
		env: { ...process.env, TMPDIR: folder },
		stdio: ['ignore', 'pipe', 'pipe']
	});
	let said = '';
	let progress = '';
	child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
	child.stderr.on('data', (chunk: Buffer) => {
		progress += chunk.toString();
		if (interruptAt?.test(progress) === true) child.kill('SIGINT');
	});
	const [code] = (await once(child, 'close')) as [number | null];
	return { code, said, progress };
}

describe('npm run replay', () => {
	it('plays real trade on devices that come and go, and all agree', async () => {
		const { code, said, progress } = await run(['--from', SLICE, '--offline', '0.6']);
		const last: unknown = JSON.parse(said.trimEnd().split('\n').at(-1) ?? '');
		expect(last).toEqual({ ...TRADE, seconds: expect.any(Number) as number });
		expect(Object.keys(last as object)).toEqual([...Object.keys(TRADE), 'seconds']);
		expect(code).toBe(0);
		const offline = /53 done, (\d+) of them off the network/.exec(progress)?.[1];
		expect(Number(offline)).toBeGreaterThan(5);
		expect(await readdir(folder)).toEqual([]);
	}, 60_000);

	it('leaves nothing behind when it is interrupted', async () => {
		const { code, said, progress } = await run(['--from', SLICE], /2010-12-02/);
		expect(progress).toMatch(/stopped by SIGINT\n$/);
		expect({ code, said }).toEqual({ code: 1, said: '' });
		expect(await readdir(folder)).toEqual([]);
	}, 60_000);

	it('says in words what it cannot play, and starts nothing', async () => {
		const missing = await run(['--from', SLICE, '--from', path.join(folder, 'none.csv')]);
		expect(missing).toMatchObject({ code: 1, said: '' });
		expect(missing.progress).toMatch(/^The file .*none\.csv cannot be read \(ENOENT\)\.\n$/);
	});
});

describe('replay on a server that runs', () => {
	it('reads its tables through its checkpoint, and counts what is no trade by reason', async () => {
		const file = path.join(folder, 'spoilt.csv');
		await writeFile(
			file,
			[
				'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country',
				'1,soap,SOAP,3,2026-11-19 10:00:00,1.505,7.0,Kenya',
				'1,SOAP ,SOAP,1,2026-11-19 10:00:00,0,7,Kenya',
				'1,tea,TEA',
				'2,tea,TEA,0,2026-11-19 11:00:00,2.00,,Kenya',
				'2,tea,TEA,two,2026-11-19 11:00:00,2.00,,Kenya',
				'A3,tea,TEA,1,2026-11-19 11:00:00,2.00,,Kenya',
				'4,tea,,-2,2026-11-20 11:00:00,0.0,,Kenya',
				'C5,soap,SOAP,-1,2026-11-20 12:00:00,1.51,8.0,Kenya',
				'C5,soap,SOAP,1,2026-11-20 12:00:00,1.51,8.0,Kenya',
				'6,tea,TEA,2,2026-11-20 12:30:00,2.00,,Kenya'
			].join('\n')
		);
		await using running = new AsyncDisposableStack();
		const database = await createTestDatabase();
		running.defer(database.close);
		const faults: unknown[] = [];
		const url = await listenOn(database, {
			clock: Date.now,
			fault: (fault) => faults.push(fault),
			running
		});
		const lines: string[] = [];
		const outcome = await replay(
			{ files: [file], devices: 2, offline: 1, seed: 3, url },
			{ tell: (line) => lines.push(line), interrupted: UNDISTURBED }
		);
		expect(outcome).toEqual({
			ok: true,
			value: {
				...TRADE,
				...{ sales: 2, returns: 1, adjustments: 1, saleLines: 3, returnLines: 1 },
				...{ salesMinor: 853, returnsMinor: 151, products: 2, customers: 2 },
				...{ balanceMinor: 302, stockUnits: -7 },
				skipped: {
					wrongColumns: 1,
					zeroQuantity: 1,
					unreadableQuantity: 1,
					otherInvoice: 1,
					positiveOnReturn: 1
				},
				seconds: expect.any(Number) as number
			}
		});
		expect(lines).toContain(`skipped row 3 of ${file}: wrongColumns`);
		expect(faults).toEqual([]);
	}, 60_000);
});
