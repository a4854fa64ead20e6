import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { groupBy } from '#domain/group-by.ts';
import type { Said } from './said.ts';
import type { ShopFacts } from './shop-facts.ts';
import type { DisputeStep } from './view.ts';

/** What was said of a record since it was first contested, by both sides; none where it never was. */
export function disputeSteps(
	{ replies }: Said,
	ofShop: readonly DisputeStep[]
): readonly DisputeStep[] {
	const first = replies.findIndex(({ decision }) => decision === 'cancel');
	const mine = first === -1 ? [] : replies.slice(first);
	const steps: DisputeStep[] = mine.map(({ id, at, decision, reason, note, isFiled }) =>
		decision === 'cancel'
			? { id, at, by: 'customer', kind: 'cancel', reason, note, isHere: !isFiled }
			: { id, at, by: 'customer', kind: 'drop', isHere: !isFiled }
	);
	return [...steps, ...ofShop].toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}

/**
 * What the shop answered, by the H it answers. A correction is a reversal and a new record in one
 * act: it is one step.
 */
export function shopSteps({
	records,
	told
}: ShopFacts): ReadonlyMap<RecordHash, readonly DisputeStep[]> {
	const acts = new Map<string, readonly [RecordHash, DisputeStep]>();
	for (const { fact } of records) {
		const { answer, writer } = fact.more;
		if (answer === undefined) continue;
		const { rest } = fact.record;
		const [h, kind, note] = answer;
		const act = `${h} ${rest.d}-${String(rest.n)}`;
		const at = fact.at.wall;
		const step: DisputeStep = { id: fact.id, at, by: 'shop', kind, note, writer: writer ?? rest.d };
		if (!acts.has(act)) acts.set(act, [h, step]);
	}
	for (const { id, at, row } of told) {
		if (row[0] !== 'insist') continue;
		const [, h, note] = row;
		acts.set(id, [h, { id, at: at.wall, by: 'shop', kind: 'insist', note, writer: '' }]);
	}
	const grouped = groupBy(acts.values(), ([h]) => h);
	return new Map([...grouped].map(([h, ofOne]) => [h, ofOne.map(([, step]) => step)]));
}
