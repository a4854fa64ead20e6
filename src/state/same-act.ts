import { effectsOf } from '#domain/fact/effects.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { firstText, idAtStart } from '#domain/fact/issued-again.ts';
import { groupBy } from '#domain/group-by.ts';
import { parseFactId, type DeviceCode } from '#domain/ids.ts';
import type { FactRow, NumberRanges, StoreReader, StoreWriter } from '#storage/device-store.ts';
import { WAS_REF } from './arrive.ts';
import { UNKNOWN_REF, type ArrivedFact } from './arrived-fact.ts';
import { isInside } from './fold-latest.ts';
import { heldOf, type FactName } from './held-facts.ts';
import { readMeta, writeMeta, type CheckpointPlace } from './meta.ts';
import { isInRanges } from './number-ranges.ts';
import { foldArrived, settleTimes, type FoldParts, type FoldReport } from './read-model.ts';

/** A fact that arrived, and by which way. */
export interface HeardFact extends ArrivedFact {
	/** The relay's feed brought it: under this name, with this text, the relay has it. */
	readonly isOfFeed?: boolean;
}

/** `code`: whose facts the device wrote itself. */
export interface ActParts extends FoldParts {
	readonly code: DeviceCode;
}

/** What the relay has where something else is held. */
interface Place {
	readonly one: HeardFact;
	/** What is held in its place. */
	readonly left: readonly FactRow[];
	/** Another text is held under its id. */
	readonly isOther: boolean;
	/** A checkpoint counted it already. */
	readonly isInside: boolean;
	/** What bore its first name was counted and let go, and nobody knows here whether it was this. */
	readonly isLetGo: boolean;
}

/**
 * DEVICE-66. Keeps facts and adds what they do, each act once: it is one by the name and the text that
 * it had first, whoever issued it again. Which of its names is the relay's says the feed alone, so that
 * no order of arrival matters: what the feed brings takes the place of the same act under another name,
 * and of another text under its own; what comes any other way yields to what is held. Nothing is added
 * then, and where more than a name changed a checkpoint is taken anew, which says what the relay counts.
 * Otherwise as `foldArrived`.
 */
export async function foldActs(
	rows: StoreWriter,
	heard: readonly HeardFact[],
	parts: ActParts
): Promise<FoldReport> {
	const { news, places } = await sort(rows, heard, parts);
	const folded = await foldArrived(rows, news, parts);
	if (places.length === 0) return folded;
	const placed = places.map(({ one }) => one);
	const { arrived } = await settleTimes(rows, placed, parts);
	const gone = new Set(places.flatMap(({ left }) => left.map(({ id }) => id)));
	await rows.remove('facts', [...gone]);
	await rows.put(
		'facts',
		arrived.map(({ row }) => row)
	);
	await nameRecords(rows, arrived, gone);
	await keepApart(rows, places);
	if (!places.every((place, at) => isNameAlone(place, arrived[at])))
		await writeMeta(rows, 'isCheckpointLost', true);
	const { moved, fresh } = folded;
	return { ...folded, moved: ['facts', 'records', ...moved], fresh: [...fresh, ...arrived] };
}

const NAMELESS: ReadonlySet<string> = new Set<Fact['kind']>(['sale', 'return', 'adjust', 'record']);

/** Whether all that it does was counted as it does it, and stands nowhere under its name but in records. */
function isNameAlone(
	{ one, left, isOther, isInside: isCounted, isLetGo }: Place,
	now = one
): boolean {
	const { fact, row } = now;
	if (isOther || isCounted || isLetGo || left.length > 1 || fact === null) return false;
	if (!NAMELESS.has(fact.kind) || fact.renamed !== undefined) return false;
	const { sayings, ends } = effectsOf(fact);
	// What was kept uncounted was counted under no name.
	const isThere = left.every(
		({ on, branch, refs }) => on === row.on && branch === row.branch && !refs.includes(UNKNOWN_REF)
	);
	return isThere && sayings.length + ends.length === 0;
}

async function nameRecords(
	rows: StoreWriter,
	arrived: readonly ArrivedFact[],
	gone: ReadonlySet<string>
): Promise<void> {
	const records = arrived.flatMap((one) => one.records);
	const held = await rows.getMany(
		'records',
		records.map(({ h }) => h)
	);
	await rows.put(
		'records',
		records.filter((_row, at) => gone.has(held[at]?.factId ?? ''))
	);
}

/** CARRY-6. Another text may be all that is left of an act: the relay gets it, to be kept apart. */
async function keepApart(rows: StoreWriter, places: readonly Place[]): Promise<void> {
	const others = places.flatMap(({ one, left }) => left.filter(({ id }) => id === one.row.id));
	if (others.length > 0)
		await writeMeta(rows, 'apart', [...((await readMeta(rows, 'apart')) ?? []), ...others]);
}

interface Sorted {
	/** Acts that are not held. */
	readonly news: readonly ArrivedFact[];
	readonly places: readonly Place[];
}

async function sort(
	rows: StoreReader,
	heard: readonly HeardFact[],
	{ code }: Pick<ActParts, 'code'>
): Promise<Sorted> {
	const held = await heldLike(rows, heard);
	const known: Known = {
		code,
		held,
		heldByFirst: groupBy(held.values(), ({ text }) => firstText(text)),
		checkpoint: await readMeta(rows, 'checkpoint'),
		pruned: await readMeta(rows, 'pruned')
	};
	const told = new Set<string>();
	const [news, places]: [ArrivedFact[], Place[]] = [[], []];
	for (const one of heard) {
		const place = placeOf(one, known);
		const first = firstText(one.row.text);
		const isNew = place.left.length === 0;
		const isToYield = one.isOfFeed !== true && (!isNew || told.has(first));
		if (!isToYield && isNew && !place.isLetGo) news.push(one);
		else if (!isToYield) places.push(place);
		told.add(first);
	}
	return { news, places };
}

interface Known extends Pick<ActParts, 'code'> {
	readonly held: ReadonlyMap<string, FactRow>;
	readonly heldByFirst: ReadonlyMap<string, readonly FactRow[]>;
	readonly checkpoint: CheckpointPlace | undefined;
	readonly pruned: NumberRanges | undefined;
}

function placeOf(one: HeardFact, { code, held, heldByFirst, checkpoint, pruned }: Known): Place {
	const { row, isOfFeed = false } = one;
	const twins = (heldByFirst.get(firstText(row.text)) ?? []).filter(({ id }) => id !== row.id);
	const own = held.get(row.id);
	const isOther = isOfFeed && own !== undefined && own.code !== code && own.text !== row.text;
	// What a checkpoint names the relay has too, and counts beside this one.
	const left = isOfFeed ? twins.filter((twin) => !isInside(twin, checkpoint)) : twins;
	const isUnknown = own === undefined && !isInRanges(row, pruned);
	return {
		one,
		left: isOther ? [...left, own] : left,
		isOther,
		isInside: isInside(row, checkpoint),
		isLetGo: isUnknown && isInRanges(firstNameOf(row), pruned)
	};
}

/** What is held of the same acts under whichever name, and under the names that are told otherwise. */
async function heldLike(
	rows: StoreReader,
	heard: readonly HeardFact[]
): Promise<ReadonlyMap<string, FactRow>> {
	const names = heard.map(({ row }) => firstNameOf(row));
	const again = await rows.findAny(
		'facts',
		'refs',
		names.map(({ id }) => WAS_REF + id)
	);
	const firsts = names.filter(({ id }, place) => id !== heard[place]?.row.id);
	// In this transaction: a document may have brought another text a moment ago.
	const others = heard.flatMap(({ row, isOfFeed }) => (isOfFeed === true ? [row] : []));
	const held = await heldOf(rows, [...firsts, ...others]);
	return new Map([...held, ...again.map((row) => [row.id, row] as const)]);
}

function firstNameOf(row: FactRow): FactName {
	const first = parseFactId(idAtStart(firstText(row.text)));
	return first.ok ? first.value : row;
}
