import type {
	CodesFact,
	DeviceKeySpan,
	FiledFact,
	JudgedFact,
	PersonFact,
	ReplyFact,
	ToldFact
} from '#domain/fact/ledger-fact.ts';
import type { FactId } from '#domain/ids.ts';
import { compareFactOrder } from '#domain/stamp.ts';
import type { HeldCard, HeldFact, HeldRecord, ShopKeys } from './held-fact.ts';
import { shopId, type ShopId, type ShopKey } from './view.ts';

/** What a person holds of one shop: each fact once, in the order of facts. */
export interface ShopFacts {
	readonly key: ShopKey;
	readonly cards: readonly HeldCard[];
	readonly records: readonly HeldRecord[];
	readonly judged: readonly JudgedFact[];
	readonly filed: readonly FiledFact[];
	readonly told: readonly ToldFact[];
	readonly codes: readonly CodesFact[];
	readonly replies: readonly ReplyFact[];
}

/** Whose page a fact is about; undefined for one of the whole person. */
export function shopOf(fact: PersonFact): ShopKey | undefined {
	if (fact.kind === 'asked' || fact.kind === 'seen') return undefined;
	return { business: fact.businessId, ledger: fact.ledgerId };
}

export function shopIdOf(fact: PersonFact): ShopId | undefined {
	const key = shopOf(fact);
	return key === undefined ? undefined : shopId(key);
}

/** Sorts one shop's facts into kinds, whatever order they came in. */
export function shopFacts(key: ShopKey, held: Iterable<HeldFact>): ShopFacts {
	const distinct = new Map<FactId, HeldFact>();
	for (const one of held) distinct.set(one.fact.id, one);
	const inOrder = [...distinct.values()].toSorted(compareHeld);
	const others = inOrder.flatMap((one) => (one.kind === 'other' ? [one.fact] : []));
	return {
		key,
		cards: inOrder.filter((one) => one.kind === 'card'),
		records: inOrder.filter((one) => one.kind === 'record'),
		judged: others.filter((fact) => fact.kind === 'judged'),
		filed: others.filter((fact) => fact.kind === 'filed'),
		told: others.filter((fact) => fact.kind === 'told'),
		codes: others.filter((fact) => fact.kind === 'codes'),
		replies: others.filter((fact) => fact.kind === 'reply')
	};
}

export function compareHeld({ fact: a }: HeldFact, { fact: b }: HeldFact): number {
	return compareFactOrder({ ...a.at, id: a.id }, { ...b.at, id: b.id });
}

/**
 * Every key that the relay ever vouched for, with the span it last gave: a later card may say that a
 * key ended, never that it was not the shop's.
 */
export function shopKeys(cards: readonly HeldCard[]): ShopKeys {
	const keys = new Map<string, DeviceKeySpan>();
	for (const { fact, kids } of cards) {
		for (const [place, span] of (fact.fields.devices ?? []).entries()) {
			const kid = kids[place];
			// A second key under a known kid is refused: the first one vouched for stays.
			const known = kid === undefined ? undefined : keys.get(kid);
			if (kid !== undefined && (known === undefined || known[1] === span[1])) keys.set(kid, span);
		}
	}
	return keys;
}
