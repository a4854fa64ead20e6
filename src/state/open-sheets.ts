import { CODE_AGE_MAX_MS } from '#domain/confirmation/judge.ts';
import type { LedgerId } from '#domain/ids.ts';
import type { LinkRow, SayingRow, SheetRow } from '#storage/device-store.ts';
import type { LinkView, SheetView } from './ledger-views.ts';

/** A customer's set of codes as this device may use it. */
export interface OpenSheet {
	readonly row: SheetRow;
	/** What may still be told; what was told and is not judged yet is not among it. */
	readonly open: SheetRow['open'];
	readonly isTooOld: boolean;
}

/** The sets of a ledger that are good now: connected, of this connection, not revoked. */
export function openSheets(
	{ sheets, sayings, link }: SheetParts,
	nowMs: number
): readonly OpenSheet[] {
	if (link?.state !== 'linked') return [];
	const told = toldCounters(sayings);
	return sheets
		.filter(({ epoch, open }) => epoch >= (link.epoch ?? 0) && open.length > 0)
		.map((row) => ({
			row,
			open: row.open.filter(([counter]) => !told.has(counter)),
			isTooOld: nowMs - row.issuedAt > CODE_AGE_MAX_MS
		}));
}

export interface SheetParts {
	readonly sheets: readonly SheetRow[];
	/** Of the ledger. */
	readonly sayings: readonly SayingRow[];
	readonly link: LinkRow | undefined;
}

/** Counters that a claim of any device of the shop names and the relay has not judged. */
function toldCounters(sayings: readonly SayingRow[]): ReadonlySet<number> {
	const judged = new Set(
		sayings.flatMap(({ saying }) => (saying.kind === 'verdict' ? [saying.claimId] : []))
	);
	return new Set(
		sayings.flatMap(({ saying, codeCounter }) => {
			if (saying.kind !== 'claimed' || saying.way !== 'sheet') return [];
			return judged.has(saying.claimId) || codeCounter === undefined ? [] : [codeCounter];
		})
	);
}

export function sheetView({ row, open, isTooOld }: OpenSheet): SheetView {
	const { ledger, kind, currency, exponent, cap } = row;
	return { ledger, kind, currency, exponent, capMinor: cap, left: open.length, isTooOld };
}

export function linkViewOf(link: LinkRow): LinkView & { readonly ledger: LedgerId } {
	const { ledger, state = 'none', way = 'app', username = '', name = '', at = 0 } = link;
	return {
		ledger,
		state,
		way,
		username,
		name,
		at,
		phoneEnd: link.phoneEnd ?? '',
		seenUpToMs: link.seenUpToMs,
		...endedByOf(link)
	};
}

/** Of an end that nobody made, as after a restore, none: what an older one says is not of it. */
function endedByOf({ endedBy, stamps }: LinkRow): Pick<LinkView, 'endedBy'> {
	const isOfThis = stamps['endedBy']?.[2] === stamps['state']?.[2];
	return endedBy !== undefined && isOfThis ? { endedBy } : {};
}
