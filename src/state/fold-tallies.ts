import type { BusinessId, LedgerId } from '#domain/ids.ts';
import { groupBy } from '#domain/group-by.ts';
import { cardGroups, type CardGroups } from '#domain/ledger/cards.ts';
import type {
	BalanceRow,
	EdgeRow,
	StoreReader,
	StoreWriter,
	TableName,
	TallyRow
} from '#storage/device-store.ts';
import { speaksOfOlder, standingOnBase } from './ledger-base.ts';
import { standingOf } from './ledger-standing.ts';
import { readMeta, writeMeta } from './meta.ts';
import { lastAtOf, pointerOf, tallyOf, type Card } from './tally.ts';

/** What reading cards looks at. */
export const CARD_TABLES: readonly TableName[] = [
	'records',
	'sayings',
	'links',
	'edges',
	'entries',
	'customers',
	'bases'
];

/** Ledgers folded at a time, so that a first start does not hold all of them twice. */
const LEDGERS_AT_A_TIME = 500;

/**
 * Folds anew the balances and the list's rows of the ledgers that something happened to, and of
 * every card that is or was one person's with them.
 */
export async function foldTallies(
	rows: StoreWriter,
	touched: readonly LedgerId[],
	business: BusinessId
): Promise<void> {
	const groups = await readGroups(rows);
	const all = groups.around(touched);
	const revision = ((await readMeta(rows, 'tallies')) ?? 0) + 1;
	const heads = [...new Set(all.map((ledger) => groups.headOf(ledger)))];
	for (let start = 0; start < heads.length; start += LEDGERS_AT_A_TIME) {
		const persons = heads
			.slice(start, start + LEDGERS_AT_A_TIME)
			.map((head) => groups.cardsOf(head));
		const cards = await readCards(rows, persons.flat(), business);
		const tallies: TallyRow[] = [];
		for (const ledgers of persons) {
			const [first, ...others] = ledgers.flatMap((ledger) => cards.get(ledger) ?? []);
			if (first === undefined) continue;
			const tally = { ...tallyOf([first, ...others]), revision };
			tallies.push(
				tally,
				...others.map(({ ledger }) => ({ ...pointerOf(ledger, tally), revision }))
			);
		}
		await rows.put('tallies', tallies);
		await rows.put('balances', [...cards.values()].flatMap(balancesOf));
		await want(rows, [...cards.values()]);
	}
	await writeMeta(rows, 'tallies', revision);
}

/** What names another record, or was said of one, is folded right once all of its ledger is here. */
async function want(rows: StoreWriter, cards: readonly Card[]): Promise<void> {
	const wanted = cards.flatMap((card) => {
		const { base } = card;
		if (base === undefined || base.isWanted === 1) return [];
		return speaksOfOlder(card, base) ? [{ ...base, isWanted: 1 as const }] : [];
	});
	if (wanted.length > 0) await rows.put('bases', wanted);
}

function balancesOf(card: Card): readonly BalanceRow[] {
	const { ledger, standing } = card;
	const lastAt = lastAtOf(card);
	return [...standing.sums].map(([currency, of]) => ({ ...of, ledger, currency, lastAt }));
}

/** Which cards are one person's. */
export interface Groups {
	headOf(ledger: LedgerId): LedgerId;
	cardsOf(head: LedgerId): readonly LedgerId[];
	/** These ledgers and all that were ever named with them. */
	around(ledgers: readonly LedgerId[]): readonly LedgerId[];
}

export async function readGroups(rows: StoreReader): Promise<Groups> {
	const edges = await rows.all('edges');
	const { headOf, members } = await groupsOf(rows, edges);
	return {
		headOf: (ledger) => headOf.get(ledger) ?? ledger,
		cardsOf: (head) => members.get(head) ?? [head],
		around: (ledgers) => reached(ledgers, edges)
	};
}

async function groupsOf(rows: StoreReader, edges: readonly EdgeRow[]): Promise<CardGroups> {
	const named = [...new Set(edges.flatMap(({ a, b }) => [a, b]))];
	const links = named.length === 0 ? [] : await rows.getMany('links', named);
	const linked = links.flatMap((link) => (link?.state === 'linked' ? [link.ledger] : []));
	return cardGroups(
		edges.map(({ a, b, isJoined, stamp: [wall, counter, id] }) => ({
			a,
			b,
			isJoined,
			at: { wall, counter },
			id
		})),
		new Set(linked)
	);
}

function reached(from: readonly LedgerId[], edges: readonly EdgeRow[]): readonly LedgerId[] {
	const found = new Set(from);
	const next = groupBy(
		edges.flatMap(({ a, b }) => [
			{ a, b },
			{ a: b, b: a }
		]),
		({ a }) => a
	);
	// What is added while it is walked is walked too.
	for (const ledger of found) for (const { b } of next.get(ledger) ?? []) found.add(b);
	return [...found];
}

/** The cards of `ledgers` with all that is kept of them; one of which nothing is known is left out. */
export async function readCards(
	rows: StoreReader,
	ledgers: readonly LedgerId[],
	business: BusinessId
): Promise<ReadonlyMap<LedgerId, Card>> {
	const records = groupBy(await rows.findAny('records', 'ledger', ledgers), (row) => row.ledger);
	const sayings = groupBy(await rows.findAny('sayings', 'ledger', ledgers), (row) => row.ledger);
	const entries = groupBy(await rows.findAny('entries', 'ledger', ledgers), (row) => row.ledger);
	const links = await rows.getMany('links', ledgers);
	const customers = await rows.getMany('customers', ledgers);
	const bases = await rows.getMany('bases', ledgers);
	const cards = new Map<LedgerId, Card>();
	for (const [place, ledger] of ledgers.entries()) {
		const ofLedger = records.get(ledger) ?? [];
		const [customer, link, base] = [customers[place], links[place], bases[place]];
		if (ofLedger.length === 0 && customer === undefined && base === undefined) continue;
		const of = { ledger, records: ofLedger, sayings: sayings.get(ledger) ?? [], link };
		const standing =
			base === undefined ? standingOf(of, business) : standingOnBase(of, base, business);
		const more = { entries: entries.get(ledger) ?? [], ...(base !== undefined && { base }) };
		cards.set(ledger, { ...of, customer, standing, ...more });
	}
	return cards;
}
