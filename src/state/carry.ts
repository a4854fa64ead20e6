import type { HaveRange } from '#sync/frames.ts';
import { mayPass } from '#sync/nack-reason.ts';
import { parseBranchId } from '#domain/ids.ts';
import type { DeviceStore, FactRow } from '#storage/device-store.ts';
import type { FactText } from './arrived-fact.ts';
import { isToCarry } from './enter-epoch.ts';
import { journaled } from './have.ts';
import type { LinkedDevice } from './linked-device.ts';
import { readMeta, writeMeta, type CarryPlace } from './meta.ts';
import type { RelayHttp, RelayRefusal } from './relay-http.ts';

export interface CarryParts {
	readonly device: Pick<LinkedDevice, 'identity'>;
	readonly store: DeviceStore;
	readonly http: Pick<RelayHttp, 'have' | 'carried'>;
}

/** `done`: the relay has all that this device holds, or will not have it. */
export type CarryOutcome = 'done' | RelayRefusal;

/** Facts that are looked at in one go, and handed in at once. */
const PAGE_LENGTH = 500;
const PAGE_TEXT_MAX = 1_000_000;

/**
 * CARRY-1. After the relay's database was restored, hands in what it forgot and this device holds, of whomever:
 * in the order of codes, and so the relay's own before all others, because a verdict has to be there
 * before its claim is judged anew. Goes on where it stopped; does nothing where there is nothing to do.
 */
export async function carryFacts(parts: CarryParts, epoch: number): Promise<CarryOutcome> {
	let place = await parts.store.read(['meta'], (rows) => readMeta(rows, 'carry'));
	if (place === undefined || !isToCarry(place, epoch)) return 'done';
	const have = await parts.http.have();
	if (!have.ok) return have.error;
	if (have.value.epoch !== epoch) return 'unreachable';
	const has = indexRanges(have.value.ranges);
	for (;;) {
		const page = await readPage(parts, place);
		const lacking = page.rows.filter((row) => !has(row) && !page.own.has(row.id));
		const left = await handIn(parts, lacking);
		if (typeof left === 'string') return left;
		const last = page.rows.at(-1);
		const isDone = page.rows.length < PAGE_LENGTH;
		place = { ...place, ...placeOf(last ?? place), left: place.left + left, isDone };
		await keep(parts.store, place);
		if (isDone) return 'done';
	}
}

function placeOf({ code, n }: Pick<CarryPlace, 'code' | 'n'>): Pick<CarryPlace, 'code' | 'n'> {
	return { code, n };
}

interface Page {
	readonly rows: readonly FactRow[];
	/** Own facts that go to the relay by their documents. */
	readonly own: ReadonlySet<string>;
}

/** Beyond every code. */
const CODE_END = '\uffff';

async function readPage({ device, store }: CarryParts, { code, n }: CarryPlace): Promise<Page> {
	return store.read(['facts', 'journal'], async (read) => {
		const rows = await read.find('facts', {
			index: 'code+n',
			from: [code, n + 1],
			to: [CODE_END, 0],
			limit: PAGE_LENGTH
		});
		return { rows, own: await journaled(read, rows, device.identity.code) };
	});
}

async function keep(store: DeviceStore, place: CarryPlace): Promise<void> {
	await store.write(['meta'], async (rows) => {
		const now = await readMeta(rows, 'carry');
		if (now?.epoch === place.epoch) await writeMeta(rows, 'carry', place);
	});
}

/** How many the relay would not have for now. */
async function handIn(
	{ http }: CarryParts,
	rows: readonly FactRow[]
): Promise<number | RelayRefusal> {
	let left = 0;
	for (const piece of piecesOf(rows)) {
		const answer = await http.carried(piece.map(factText));
		if (!answer.ok) return answer.error;
		// What another day, or somebody else, may put right.
		left += answer.value.filter(({ reason = '' }) => mayPass(reason)).length;
	}
	return left;
}

function piecesOf(rows: readonly FactRow[]): readonly (readonly FactRow[])[] {
	const pieces: FactRow[][] = [];
	let length = Infinity;
	for (const row of rows) {
		length += row.text.length;
		if (length > PAGE_TEXT_MAX) {
			pieces.push([]);
			length = row.text.length;
		}
		pieces.at(-1)?.push(row);
	}
	return pieces;
}

function factText({ text, branch }: FactRow): FactText {
	const parsed = parseBranchId(branch);
	return { text, branch: parsed.ok ? parsed.value : null };
}

type Has = (row: Pick<FactRow, 'code' | 'n'>) => boolean;

function indexRanges(ranges: Readonly<Record<string, readonly HaveRange[]>>): Has {
	return ({ code, n }) => {
		const ofCode = Object.hasOwn(ranges, code) ? (ranges[code] ?? []) : [];
		let [low, high] = [0, ofCode.length - 1];
		while (low <= high) {
			const middle = (low + high) >> 1;
			const [from, to] = ofCode[middle] ?? [0, 0];
			if (n < from) high = middle - 1;
			else if (n > to) low = middle + 1;
			else return true;
		}
		return false;
	};
}
