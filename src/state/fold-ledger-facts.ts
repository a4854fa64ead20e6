import type { EntityChange, Saying } from '#domain/fact/effects.ts';
import type { Fact } from '#domain/fact/fact.ts';
import type { LinkFields } from '#domain/fact/ledger-fact.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { FactId, LedgerId } from '#domain/ids.ts';
import type {
	AskRow,
	BookEntryRow,
	EdgeRow,
	EndRow,
	FieldStamp,
	LinkRow,
	RecordRow,
	SayingRow,
	SheetRow,
	StoreWriter,
	TableName
} from '#storage/device-store.ts';
import { compareFieldStamps, foldEntities, laterFields, type Stamped } from './fold-entities.ts';

/** A fact with all that folding what happened to ledgers asks of it. */
export interface LedgerCounted extends Stamped {
	readonly on: string;
	readonly by: number;
	readonly fact: Fact;
	readonly records: readonly RecordRow[];
}

interface LedgersMoved {
	/** Those whose numbers may have moved; a ledger may come twice. */
	readonly ledgers: readonly LedgerId[];
	readonly moved: readonly TableName[];
}

/**
 * Keeps what facts say of ledgers beside their records: claims, verdicts, answers, connections,
 * codes, lines of the book, merged cards. Each is put under a name of its own, so that a fact that
 * comes again, from a checkpoint say, changes nothing.
 */
export async function addLedgerFacts(
	rows: StoreWriter,
	counted: readonly LedgerCounted[]
): Promise<LedgersMoved> {
	const found = [
		await addSayings(rows, counted),
		await addLists(rows, counted),
		await addLinks(rows, counted),
		await addSheets(rows, counted),
		await addEdges(rows, counted),
		await addEntries(rows, counted),
		await addAsks(rows, counted)
	];
	return {
		ledgers: found.flatMap(({ ledgers }) => ledgers),
		moved: found.flatMap(({ moved }) => moved)
	};
}

const NOTHING: LedgersMoved = { ledgers: [], moved: [] };

/**
 * A claim and a shop's answer name a record alone. Where that is not here yet they wait for it
 * under no ledger.
 */
async function addSayings(
	rows: StoreWriter,
	counted: readonly LedgerCounted[]
): Promise<LedgersMoved> {
	const bare = counted.flatMap(sayingRowsOf);
	const fresh = counted.flatMap(({ records }) => records.map(({ h }) => h));
	return putSayings(rows, [...bare, ...(await waitingFor(rows, fresh))]);
}

/** What waited for these records, which came from a checkpoint and so without their facts. */
export async function attachSayings(
	rows: StoreWriter,
	records: readonly RecordHash[]
): Promise<void> {
	await putSayings(rows, await waitingFor(rows, records));
}

async function putSayings(rows: StoreWriter, said: readonly SayingRow[]): Promise<LedgersMoved> {
	if (said.length === 0) return NOTHING;
	const hashes = [...new Set(said.map(({ h }) => h))];
	const records = await rows.getMany('records', hashes);
	const ledgerByHash = new Map(hashes.map((h, place) => [h, records[place]?.ledger]));
	const sayings = said.map((row): SayingRow => ({
		...row,
		ledger: ledgerNamedBy(row) ?? ledgerByHash.get(row.h) ?? ''
	}));
	await rows.put('sayings', sayings);
	return {
		ledgers: sayings.flatMap(({ ledger }) => (ledger === '' ? [] : [ledger])),
		moved: ['sayings']
	};
}

/** What was said of these records before they came. */
async function waitingFor(
	rows: StoreWriter,
	hashes: readonly RecordHash[]
): Promise<readonly SayingRow[]> {
	if (hashes.length === 0) return [];
	const said = await rows.findAny('sayings', 'h', hashes);
	return said.filter(({ ledger }) => ledger === '');
}

function ledgerNamedBy({ saying }: SayingRow): LedgerId | undefined {
	return 'ledgerId' in saying ? saying.ledgerId : undefined;
}

function sayingRowsOf({ effects, stamp, by, fact }: LedgerCounted): readonly SayingRow[] {
	const [wall, counter, factId] = stamp;
	const codeCounter = fact.kind === 'claim' ? fact.claim.counter : undefined;
	return effects.sayings.map((saying: Saying, place) => ({
		id: `${factId}/${String(place)}`,
		h: saying.h,
		ledger: '',
		factId,
		wall,
		counter,
		by,
		saying,
		...(codeCounter !== undefined && { codeCounter })
	}));
}

/** What a statement lists stands beside it in its fact, and its rows' checkpoint does not have it. */
async function addLists(
	rows: StoreWriter,
	counted: readonly LedgerCounted[]
): Promise<LedgersMoved> {
	const listByHash = new Map<RecordHash, readonly RecordHash[]>();
	for (const { effects, records } of counted) {
		if (effects.list.length === 0) continue;
		for (const { kind, h } of records) if (kind === 'statement') listByHash.set(h, effects.list);
	}
	if (listByHash.size === 0) return NOTHING;
	const held = await rows.getMany('records', [...listByHash.keys()]);
	const statements = held.flatMap((row) =>
		row === undefined ? [] : [{ ...row, list: listByHash.get(row.h) ?? [] }]
	);
	await rows.put('records', statements);
	return { ledgers: statements.map(({ ledger }) => ledger), moved: ['records'] };
}

async function addLinks(
	rows: StoreWriter,
	counted: readonly LedgerCounted[]
): Promise<LedgersMoved> {
	const changes = counted.flatMap(({ effects, stamp }) => [
		...effects.links.map((change) => ({ ...change, stamp })),
		...(effects.saw === null ? [] : [{ key: effects.saw.ledgerId, saw: effects.saw.upToMs, stamp }])
	]);
	if (changes.length === 0) return NOTHING;
	const ledgers = [...new Set(changes.map(({ key }) => key))];
	const held = await rows.getMany('links', ledgers);
	const rowByLedger = new Map(
		ledgers.map((ledger, place) => [ledger, held[place] ?? newLink(ledger)])
	);
	for (const change of changes) {
		const row = rowByLedger.get(change.key) ?? newLink(change.key);
		rowByLedger.set(change.key, 'saw' in change ? seen(row, change.saw) : relinked(row, change));
	}
	await rows.put('links', [...rowByLedger.values()]);
	const linked = counted.flatMap(({ effects }) => effects.links.map(({ key }) => key));
	return { ledgers: linked, moved: ['links'] };
}

function newLink(ledger: LedgerId): LinkRow {
	return { ledger, seenUpToMs: 0, history: [], stamps: {} };
}

function seen(row: LinkRow, upToMs: number): LinkRow {
	return { ...row, seenUpToMs: Math.max(row.seenUpToMs, upToMs) };
}

function relinked(
	row: LinkRow,
	{ fields, stamp }: EntityChange<LedgerId, LinkFields> & { readonly stamp: FieldStamp }
): LinkRow {
	const [wall, counter, id] = stamp;
	const later = laterFields(row, fields, stamp);
	if (fields.state === undefined || row.history.some((change) => change.id === id)) return later;
	const { state, at = wall, way = 'app', since, endedBy } = fields;
	const isLost = state === 'ended' && endedBy === undefined;
	const more = { ...(since !== undefined && { since }), ...(isLost && { isLost: true as const }) };
	const change = { id, wall, counter, at, state, way, ...more };
	return { ...later, history: [...row.history, change] };
}

async function addSheets(
	rows: StoreWriter,
	counted: readonly LedgerCounted[]
): Promise<LedgersMoved> {
	const sheets = counted.flatMap(({ effects, stamp }) =>
		effects.sheets.map(({ ledgerId, fields }): SheetRow => ({ ...fields, ledger: ledgerId, stamp }))
	);
	if (sheets.length === 0) return NOTHING;
	const keyOf = ({ ledger, kind, currency, exponent }: SheetRow): readonly (string | number)[] => [
		ledger,
		kind,
		currency,
		exponent
	];
	const held = await rows.getMany('sheets', sheets.map(keyOf));
	await rows.put('sheets', latestOf([...held, ...sheets], keyOf));
	return { ledgers: [], moved: ['sheets'] };
}

async function addEdges(
	rows: StoreWriter,
	counted: readonly LedgerCounted[]
): Promise<LedgersMoved> {
	const edges = counted.flatMap(({ effects, stamp }) =>
		effects.merges.map((merge): EdgeRow => ({ ...merge, stamp }))
	);
	if (edges.length === 0) return NOTHING;
	const keyOf = ({ a, b }: EdgeRow): readonly string[] => [a, b];
	const held = await rows.getMany('edges', edges.map(keyOf));
	await rows.put('edges', latestOf([...held, ...edges], keyOf));
	return { ledgers: edges.flatMap(({ a, b }) => [a, b]), moved: ['edges'] };
}

/** Of rows with one key the latest in the order of facts stays, whatever came first. */
function latestOf<Row extends { readonly stamp: FieldStamp }>(
	rows: readonly (Row | undefined)[],
	keyOf: (row: Row) => readonly (string | number)[]
): readonly Row[] {
	const latest = new Map<string, Row>();
	for (const row of rows) {
		if (row === undefined) continue;
		const key = JSON.stringify(keyOf(row));
		const before = latest.get(key);
		if (before === undefined || compareFieldStamps(row.stamp, before.stamp) >= 0)
			latest.set(key, row);
	}
	return [...latest.values()];
}

async function addEntries(
	rows: StoreWriter,
	counted: readonly LedgerCounted[]
): Promise<LedgersMoved> {
	const entries = counted.flatMap(({ effects, stamp: [wall, counter, id], on, by }) =>
		effects.entries.map(({ ledgerId, row }): BookEntryRow => ({
			id,
			ledger: ledgerId === 0 ? '' : ledgerId,
			row,
			wall,
			counter,
			on,
			by
		}))
	);
	const ends = counted.flatMap(endRowsOf);
	if (entries.length > 0) await rows.put('entries', entries);
	if (ends.length > 0) await putFirstEnds(rows, ends);
	return {
		ledgers: entries.flatMap(({ ledger }) => (ledger === '' ? [] : [ledger])),
		moved: [
			...(entries.length > 0 ? (['entries'] as const) : []),
			...(ends.length > 0 ? (['ends'] as const) : [])
		]
	};
}

function endRowsOf({ effects, stamp: [wall, counter, factId], fact }: LedgerCounted): EndRow[] {
	const kind = fact.kind === 'entry' ? fact.row[0] : undefined;
	const how = kind === 'bounced' || kind === 'slipDone' ? kind : 'written';
	return effects.ends.map((id) => ({ id, factId, wall, counter, how }));
}

/** What can end once ended by the first fact that says so. */
async function putFirstEnds(rows: StoreWriter, ends: readonly EndRow[]): Promise<void> {
	const held = await rows.getMany('ends', [...new Set(ends.map(({ id }) => id))]);
	const first = new Map<FactId, EndRow>();
	for (const row of [...held, ...ends]) {
		if (row === undefined) continue;
		const before = first.get(row.id);
		if (before === undefined || compareFieldStamps(stampOf(row), stampOf(before)) < 0)
			first.set(row.id, row);
	}
	await rows.put('ends', [...first.values()]);
}

function stampOf({ wall, counter, factId }: EndRow): FieldStamp {
	return [wall, counter, factId];
}

async function addAsks(
	rows: StoreWriter,
	counted: readonly LedgerCounted[]
): Promise<LedgersMoved> {
	const hasAsks = await foldEntities<string, AskRow>(counted, {
		changesOf: ({ asks }) => asks,
		held: (ids) => rows.getMany('asks', ids),
		create: (id) => ({ id, at: 0, stamps: {} }),
		put: (changed) =>
			rows.put(
				'asks',
				changed.map((row) => ({ ...row, at: row.stamps['state']?.[0] ?? row.at }))
			)
	});
	return hasAsks ? { ledgers: [], moved: ['asks'] } : NOTHING;
}
