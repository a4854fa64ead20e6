import type { HaveRange } from '#sync/frames.ts';
import { mayPass } from '#sync/nack-reason.ts';
import { isRelayCode } from '#domain/ids.ts';
import type { DeviceStore, FactRow } from '#storage/device-store.ts';
import { factText } from './arrived-fact.ts';
import type { Changes } from './changes.ts';
import { isToCarry } from './enter-epoch.ts';
import { journaled } from './have.ts';
import { joinedRanges, keepAlone } from './keep-alone.ts';
import type { LinkedDevice } from './linked-device.ts';
import { heldMeta, readMeta, writeMeta, type AloneRange, type CarryPlace } from './meta.ts';
import type { CarriedAnswer, RelayHttp, RelayRefusal } from './relay-http.ts';

export interface CarryParts {
	readonly device: Pick<LinkedDevice, 'identity'>;
	readonly store: DeviceStore;
	readonly http: Pick<RelayHttp, 'have' | 'carried'>;
	readonly changes: Pick<Changes, 'tell'>;
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
	const refusal = await handInApart(parts);
	if (refusal !== undefined) return refusal;
	let place = await placeToCarry(parts.store, epoch);
	if (place === undefined) return 'done';
	const have = await parts.http.have();
	if (!have.ok) return have.error;
	if (have.value.epoch !== epoch) return 'unreachable';
	const has = indexRanges(have.value.ranges);
	while (place !== undefined) {
		const moved = await carryPage(parts, place, has);
		if (typeof moved === 'string') return moved;
		await keep(parts.store, moved);
		place = await placeToCarry(parts.store, epoch);
	}
	parts.changes.tell(['journal']);
	return 'done';
}

/** Undefined where nothing is to be handed in to the relay of this epoch. */
async function placeToCarry(store: DeviceStore, epoch: number): Promise<CarryPlace | undefined> {
	const place = await heldMeta(store, 'carry');
	return isToCarry(place, epoch) ? place : undefined;
}

/**
 * CARRY-6. What was here under names that the relay has with another text: there it is kept apart. What it
 * would not have for now stays, since no other table has it.
 */
async function handInApart(parts: CarryParts): Promise<RelayRefusal | undefined> {
	const apart = await heldMeta(parts.store, 'apart');
	if (apart === undefined || apart.length === 0) return undefined;
	const left = await handIn(parts, apart);
	if (typeof left === 'string') return left;
	const stays = new Set(left.filter(({ reason }) => mayPass(reason)).map(({ row }) => row.text));
	const done = new Set(apart.map(({ text }) => text).filter((text) => !stays.has(text)));
	// By their texts: another tab may have handed in the same, and more may be apart by now.
	await parts.store.write(['meta'], async (rows) => {
		const now = (await readMeta(rows, 'apart')) ?? [];
		await writeMeta(
			rows,
			'apart',
			now.filter(({ text }) => !done.has(text))
		);
	});
	return undefined;
}

/** Hands in what the relay lacks of the next page. */
async function carryPage(
	parts: CarryParts,
	place: CarryPlace,
	has: Has
): Promise<CarryPlace | RelayRefusal> {
	const { rows, own } = await readPage(parts, place);
	const left = await handIn(
		parts,
		rows.filter((row) => !has(row) && !own.has(row.id))
	);
	if (typeof left === 'string') return left;
	const { code, n } = rows.at(-1) ?? place;
	const later = left.filter(({ reason }) => mayPass(reason)).length;
	return {
		...place,
		...{ code, n, left: place.left + later, isDone: rows.length < PAGE_LENGTH },
		found: foundIn(place.found ?? [], left)
	};
}

/** Its author brings it himself; the device that hands it in is let in no more. */
const NOT_ALONE: ReadonlySet<string> = new Set(['authorBack', 'deviceRemoved']);

/** Adds what the relay would not have of devices; its own facts are nobody's work. */
function foundIn(found: readonly AloneRange[], left: readonly LeftRow[]): readonly AloneRange[] {
	const fresh = left
		.filter(({ row, reason }) => !isRelayCode(row.code) && !NOT_ALONE.has(reason))
		.map(({ row: { code, n }, reason }) => ({ code, from: n, to: n, reason }));
	return joinedRanges([...found, ...fresh]);
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

/**
 * CARRY-5. What all of it found takes the place of what was found the time before. Nothing is kept where it
 * was begun anew meanwhile: what came in since may lie before this place.
 */
async function keep(store: DeviceStore, { found = [], ...place }: CarryPlace): Promise<void> {
	await store.write(['meta'], async (rows) => {
		const now = await readMeta(rows, 'carry');
		if (now?.epoch !== place.epoch || now.pass !== place.pass) return;
		await writeMeta(rows, 'carry', place.isDone ? place : { ...place, found });
		if (place.isDone) await keepAlone(rows, 'others', found);
	});
}

interface LeftRow {
	readonly row: FactRow;
	readonly reason: string;
}

/** What the relay would not have, and why. */
async function handIn(
	{ http }: CarryParts,
	rows: readonly FactRow[]
): Promise<readonly LeftRow[] | RelayRefusal> {
	const left: LeftRow[] = [];
	for (const piece of piecesOf(rows)) {
		const answer = await http.carried(piece.map(factText));
		if (!answer.ok) return answer.error;
		for (const [place, row] of piece.entries()) {
			const reason = refusedAs(answer.value[place]);
			if (reason !== undefined) left.push({ row, reason });
		}
	}
	return left;
}

function refusedAs(answer: CarriedAnswer | undefined): string | undefined {
	if (answer?.became === 'kept' || answer?.became === 'known') return undefined;
	return answer?.reason ?? answer?.became;
}

/** The relay's own apart: they say who somebody was whose facts follow. */
function piecesOf(rows: readonly FactRow[]): readonly (readonly FactRow[])[] {
	const pieces: FactRow[][] = [];
	let length = Infinity;
	let isRelays = false;
	for (const row of rows) {
		length += row.text.length;
		if (length > PAGE_TEXT_MAX || (isRelays && !isRelayCode(row.code))) {
			pieces.push([]);
			length = row.text.length;
		}
		isRelays = isRelayCode(row.code);
		pieces.at(-1)?.push(row);
	}
	return pieces;
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
