import type { AskedFact, AskedFields, SeenFact } from '#domain/fact/ledger-fact.ts';
import type { FactId } from '#domain/ids.ts';
import type { HeldFact, HeldRecord } from './held-fact.ts';
import { askNews, shopNews, type DatedNews } from './notices.ts';
import { compareHeld, shopFacts, shopIdOf, shopOf, type ShopFacts } from './shop-facts.ts';
import { shopView } from './shop-view.ts';
import type { AskView, Notice, PersonView, ShopId, ShopKey, ShopView } from './view.ts';

/** The moment that a person's facts are looked at. */
export interface Looking {
	/** By the corrected clock, ms. */
	readonly nowMs: number;
	/** Up to when the person read what days told by themselves, ms. */
	readonly readUpTo: number;
	/** Facts that are kept and not understood yet. */
	readonly newer: number;
}

/** A person's facts as they come in. What did not move is not folded again. */
export interface PersonFold {
	/** Takes facts in, in any order and any number of times; a later one of an id is what counts. */
	add(held: Iterable<HeldFact>): void;
	/** Records that no key of their shop was found for yet. */
	unchecked(): readonly HeldRecord[];
	facts(key: ShopId): ShopFacts | undefined;
	view(looking: Looking): PersonView;
}

/** Everything that a person may know of his shops, from all his facts. */
export function foldPerson(held: Iterable<HeldFact>, looking: Looking): PersonView {
	const fold = createPersonFold();
	fold.add(held);
	return fold.view(looking);
}

/** One shop's facts, and what was made of them last. */
interface Page {
	readonly key: ShopKey;
	readonly held: Map<FactId, HeldFact>;
	facts: ShopFacts | undefined;
	folded: Folded | undefined;
}

interface Folded {
	readonly nowMs: number;
	readonly shop: ShopView;
	readonly news: readonly DatedNews[];
}

export function createPersonFold(): PersonFold {
	const pages = new Map<ShopId, Page>();
	const others = new Map<FactId, HeldFact>();

	function pageOf(id: ShopId, key: ShopKey): Page {
		const known = pages.get(id);
		if (known !== undefined) return known;
		const page: Page = { key, held: new Map(), facts: undefined, folded: undefined };
		pages.set(id, page);
		return page;
	}

	return {
		add: (held) => {
			for (const one of held) {
				const id = shopIdOf(one.fact);
				const key = shopOf(one.fact);
				if (id === undefined || key === undefined) {
					others.set(one.fact.id, one);
					continue;
				}
				const page = pageOf(id, key);
				page.held.set(one.fact.id, one);
				page.facts = undefined;
				page.folded = undefined;
			}
		},
		unchecked: () =>
			[...pages.values()].flatMap((page) =>
				factsOf(page).records.filter(({ check }) => check === 'unchecked')
			),
		facts: (id) => {
			const page = pages.get(id);
			return page === undefined ? undefined : factsOf(page);
		},
		view: (looking) =>
			viewOf(
				[...pages.values()].map((page) => foldedOf(page, looking.nowMs)),
				[...others.values()].toSorted(compareHeld),
				looking
			)
	};
}

function factsOf(page: Page): ShopFacts {
	page.facts ??= shopFacts(page.key, page.held.values());
	return page.facts;
}

function foldedOf(page: Page, nowMs: number): Folded {
	if (page.folded?.nowMs === nowMs) return page.folded;
	const facts = factsOf(page);
	const shop = shopView(facts, nowMs);
	const folded = { nowMs, shop, news: shopNews(facts, shop, nowMs) };
	page.folded = folded;
	return folded;
}

function viewOf(
	folded: readonly Folded[],
	others: readonly HeldFact[],
	{ readUpTo, newer }: Looking
): PersonView {
	const facts = others.map(({ fact }) => fact);
	const asks = asksOf(facts.filter((fact) => fact.kind === 'asked'));
	const seenUpTo = seenUpToOf(facts.filter((fact) => fact.kind === 'seen'));
	const ofAsks = asks.flatMap((ask): readonly DatedNews[] => {
		const news = askNews(ask);
		return news === undefined ? [] : [{ news, isOfDay: false, isDone: false }];
	});
	const notices = [...folded.flatMap(({ news }) => news), ...ofAsks]
		.map(({ news, isOfDay, isDone }): Notice => {
			const isRead = isDone || news.at <= (isOfDay ? readUpTo : seenUpTo);
			return { ...news, isRead };
		})
		.toSorted((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
	const shops = folded.map(({ shop }) => shop).toSorted(compareShops);
	return {
		shops,
		toAnswer: shops.flatMap(({ toAnswer }) => toAnswer).toSorted((a, b) => a.at - b.at),
		asks: asks.filter(({ state }) => state === 'asked'),
		notices,
		unread: notices.filter(({ isRead }) => !isRead).length,
		seenUpTo,
		newer
	};
}

/** The latest word for each field of each request; newest first. */
function asksOf(facts: readonly AskedFact[]): readonly AskView[] {
	const byId = new Map<string, AskedFields & { readonly at: number }>();
	for (const { askId, fields, at } of facts) {
		const before = byId.get(askId);
		const moved = fields.state === undefined && before !== undefined ? before.at : at.wall;
		byId.set(askId, { ...before, ...fields, at: moved });
	}
	return [...byId]
		.map(([ask, { by = 'shop', shop = '', username = '', business, state = 'asked', at }]) => ({
			ask,
			by,
			shop,
			username,
			...(business !== undefined && { business }),
			state,
			at
		}))
		.toSorted((a, b) => b.at - a.at || (a.ask < b.ask ? 1 : -1));
}

/** Any phone of the person may have looked. */
function seenUpToOf(facts: readonly SeenFact[]): number {
	return facts.reduce((most, { upToMs }) => Math.max(most, upToMs), 0);
}

function compareShops(a: ShopView, b: ShopView): number {
	if (a.state !== b.state) return a.state === 'linked' ? -1 : 1;
	return b.lastAt - a.lastAt || (a.id < b.id ? -1 : 1);
}
