import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import * as Y from 'yjs';
import { formatDocumentName, utcDay, type BranchDay } from '#documents/document-name.ts';
import { appendFact } from '#documents/facts.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { SoldLine } from '#domain/fact/fact.ts';
import {
	factId,
	productIdOf,
	type BranchId,
	type BusinessId,
	type DeviceCode
} from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { connectDatabase, migrateDatabase } from '#server/database/connect.ts';
import { startEmbeddedPostgres } from '#server/database/embedded.ts';
import { createProject } from '#server/projections/project.ts';
import { checkFact } from '#server/relay/check-fact.ts';
import { loadRoom, type Room } from '#server/relay/room.ts';
import { parseUpdate, type UpdateItem } from '#server/relay/update-parser.ts';
import { createWritePath } from '#server/relay/write-path.ts';

/**
 * What the relay's write path does in a second on this machine, with a durable database and no
 * network: `node tests/load/relay-upload.ts`. First a week offline (7 documents of 1,000 cash sales
 * of two lines, each document in one update), then as many sales one by one from 200 devices.
 */
const FACTS = 7_000;
const DEVICES = 200;
const BUSINESS = '0192f0c1-7a00-4000-8000-000000000001' as BusinessId;
const BRANCH = '0192f0c1-7a00-4000-8000-0000000000b1' as BranchId;
const NOW = Date.UTC(2026, 10, 20, 9);

const folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-load-'));
const postgres = await startEmbeddedPostgres({ dataDir: folder });
await migrateDatabase(postgres.url);
const { sql, close } = connectDatabase(postgres.url);
const crypto = createNodeCrypto();

/** Milliseconds from handing in to decided, one for each update. */
const waitedMs: number[] = [];
const writePath = createWritePath({
	sql,
	project: createProject(crypto),
	clock: () => NOW,
	committed: (batch, { decisions, sequences }) => {
		batch.forEach(({ room }, at) => {
			const decision = decisions[at];
			if (decision?.kind !== 'accepted') return;
			for (const placed of decision.items) room.state.add(placed);
		});
		for (const [room, sequence] of sequences) room.sequence = sequence;
	},
	failed: (fault) => {
		throw fault;
	}
});

const rooms = new Map<string, Room>();
const week = Array.from({ length: 7 }, (_, day) =>
	journeyOf(day, 'A', { from: day * 1_000 + 1, to: (day + 1) * 1_000 })
);
const rounds = Array.from({ length: FACTS / DEVICES }, (_, round) =>
	Array.from({ length: DEVICES }, (_each, device) =>
		journeyOf(8, codeOf(device), { from: round + 1, to: round + 1 })
	)
);

try {
	for (const { address } of [...week, ...rounds.flat()]) {
		const name = formatDocumentName(address);
		if (!rooms.has(name)) rooms.set(name, await loadRoom(sql, name, address));
	}
	await measure('a week offline', [week]);
	await measure('one by one', rounds);
} finally {
	await close();
	await postgres.stop();
	await rm(folder, { recursive: true, force: true });
}

/** Each round's updates at once, the next when all of them are decided. */
async function measure(what: string, journeys: readonly (readonly Journey[])[]): Promise<void> {
	waitedMs.length = 0;
	const cpu = process.cpuUsage();
	const startedAt = performance.now();
	for (const round of journeys) await Promise.all(round.map(submit));
	const seconds = (performance.now() - startedAt) / 1_000;
	const { user, system } = process.cpuUsage(cpu);
	const sorted = waitedMs.toSorted((a, b) => a - b);
	const at = (share: number): string =>
		String(Math.round(sorted[Math.floor(sorted.length * share)] ?? 0));
	process.stdout.write(
		`${what}: ${String(FACTS)} facts in ${String(Math.round(seconds * 1_000))} ms, ` +
			`${String(Math.round(FACTS / seconds))}/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
			`relay CPU ${String(Math.round((user + system) / FACTS))} µs a fact\n`
	);
}

/** One update of one device. */
interface Journey {
	readonly address: BranchDay;
	readonly code: string;
	readonly bytes: Uint8Array;
}

/** From the bytes of an update to its decision. */
async function submit({ address, code, bytes }: Journey): Promise<void> {
	const handedInAt = performance.now();
	const room = rooms.get(formatDocumentName(address));
	const update = parseUpdate(bytes);
	if (!update.ok || room === undefined) throw new Error('not as it was meant');
	const caller = {
		sort: 'device',
		scope: BUSINESS,
		business: BUSINESS,
		branch: BRANCH,
		code: code as DeviceCode,
		member: 1,
		role: 'owner',
		sight: 'office',
		publicKey: new Uint8Array(65)
	} as const;
	const checks = new Map<UpdateItem, Awaited<ReturnType<typeof checkFact>>>();
	for (const item of update.value.items) {
		checks.set(item, await checkFact(item.text ?? '', { caller, address, crypto, now: NOW }));
	}
	const submission = { room, caller, update: update.value, checks, sender: caller };
	const outcome = await writePath.submit(submission);
	if (outcome.kind !== 'accepted') throw new Error(JSON.stringify(outcome));
	waitedMs.push(performance.now() - handedInAt);
}

/** Cash sales of two lines, numbered `from` … `to`. */
function journeyOf(
	day: number,
	code: string,
	{ from, to }: { readonly from: number; readonly to: number }
): Journey {
	const wall = NOW - (8 - day) * 86_400_000;
	const doc = new Y.Doc();
	doc.transact(() => {
		for (let n = from; n <= to; n += 1) appendFact(doc, sale(code, n, wall));
	});
	const address = {
		kind: 'journal',
		business: BUSINESS,
		branch: BRANCH,
		day: utcDay(wall)
	} as const;
	return { address, code, bytes: Y.encodeStateAsUpdate(doc) };
}

function sale(
	code: string,
	n: number,
	wall: number
): { readonly id: string; readonly text: string } {
	const id = factId(code, n);
	const line = (product: number): SoldLine => ({
		productId: productIdOf(factId('A', product), 0),
		name: 'Sugar 1 kg',
		quantityThousandths: 2_000,
		unitPriceMinor: 4_500,
		totalMinor: 9_000
	});
	const text = encodeFact({
		id,
		code,
		n,
		at: { wall, counter: n },
		on: new Date(wall).toISOString().slice(0, 10),
		by: 1,
		kind: 'sale',
		receipt: n,
		lines: [line(1 + (n % 400)), line(1 + (n % 37))],
		tenders: [{ kind: 'cash', minor: 20_000 }]
	});
	return { id, text };
}

/** AA, AB … */
function codeOf(device: number): string {
	return String.fromCharCode(65 + Math.floor(device / 26), 65 + (device % 26));
}
