import { utf8 } from '#domain/bytes.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { only, type DeviceStore, type JournalRow } from '#storage/device-store.ts';
import { asSent } from './have.ts';
import { readMeta } from './meta.ts';

/** The reason under which a fact is kept here that waits for the owner. */
export const WITH_OWNER = 'withOwner';
/** The reason of what the relay would not take for the owner: another fact has its number. */
const CONFLICT = 'conflict';

/** What the relay did with a lot; each id stands in one of them. */
export interface Left {
	readonly waiting: readonly string[];
	/** They were sent already: only the answer was lost. */
	readonly known: readonly string[];
	readonly refused: readonly string[];
}

/**
 * `ended`: the device was removed too long ago, or left too much. `unknown`: the relay knows of no such
 * device that was removed.
 */
export type LateRefusal = 'unreachable' | 'ended' | 'unknown';

export interface LateApi {
	/** Leaves facts of a removed device to its owner; the same again is the same. */
	leave(texts: readonly string[]): Promise<Result<Left, LateRefusal>>;
}

/** Two days of a busy till: more than a backup is old. */
const DOUBTED_MAX = 1_000;
const LOT_FACTS_MAX = 500;
/** As it is sent: a line of 10 kB/s takes thirteen seconds for it, and nobody waits longer than thirty. */
const LOT_BYTES_MAX = 128 * 1024;

/**
 * LATE-1. Leaves everything to the owner that this removed device wrote and had not sent, a lot at a
 * time. Answers how many facts wait with him now. What is not taken stays here with its reason, and is
 * left again only when a person says so. What waits with him, and the last that was sent, is left once
 * more where it is `again`: a relay that was restored may have forgotten it. It may be cut off anywhere and begun again.
 */
export async function leaveLate(
	store: DeviceStore,
	api: LateApi,
	{ again = false }: { readonly again?: boolean } = {}
): Promise<Result<number, LateRefusal>> {
	const unsent = await store.read(['journal'], (rows) => rows.find('journal', only('sent', 0)));
	const doubted = again ? await lastSent(store) : [];
	const isLeft = ({ refused }: JournalRow): boolean => !again && refused === WITH_OWNER;
	let left = unsent.filter(isLeft).length;
	let rest = [...doubted, ...unsent.filter((row) => !isLeft(row) && row.refused !== CONFLICT)];
	while (rest.length > 0) {
		const lot = rest.slice(0, lotLength(rest));
		const answer = await api.leave(lot.map(({ text }) => text));
		if (!answer.ok) return err(answer.error);
		await keepAnswer(store, lot, answer.value);
		left += answer.value.waiting.length;
		rest = rest.slice(lot.length);
	}
	return ok(left);
}

/** A removed device does not hear what a restored relay forgot: its last facts are told once more. */
async function lastSent(store: DeviceStore): Promise<readonly JournalRow[]> {
	return store.read(['journal', 'meta'], async (rows) => {
		const last = (await readMeta(rows, 'sequence'))?.n ?? 0;
		const lately = await rows.find('journal', { from: last - DOUBTED_MAX + 1, to: last });
		return lately.filter(({ sent }) => sent === 1);
	});
}

function lotLength(rows: readonly JournalRow[]): number {
	let bytes = 0;
	const over = rows.findIndex(({ text }) => {
		bytes += sentBytes(text);
		return bytes > LOT_BYTES_MAX;
	});
	return Math.min(LOT_FACTS_MAX, over === -1 ? rows.length : Math.max(1, over));
}

/** In a list of texts, with its comma. */
function sentBytes(text: string): number {
	return utf8(JSON.stringify(text)).length + 1;
}

/** Each row of the lot stands somewhere else after it, so that nothing is left over and over. */
async function keepAnswer(
	store: DeviceStore,
	lot: readonly JournalRow[],
	{ waiting, known }: Left
): Promise<void> {
	const waits = new Set(waiting);
	const isKnown = new Set(known);
	await store.write(['journal'], async (rows) => {
		const held = await rows.getMany(
			'journal',
			lot.map(({ n }) => n)
		);
		const own = held.filter((row) => row !== undefined);
		await rows.put(
			'journal',
			own.map((row) => {
				if (isKnown.has(row.id)) return asSent(row);
				return { ...row, sent: 0 as const, refused: waits.has(row.id) ? WITH_OWNER : CONFLICT };
			})
		);
	});
}
