import { WRONG_SHEETS_MAX } from '#domain/confirmation/judge.ts';
import { groupBy } from '#domain/group-by.ts';
import type { CardFields } from '#domain/fact/ledger-fact.ts';
import type { ShopFacts } from './shop-facts.ts';
import { moneyForm } from './shop-card.ts';
import type { CodesView } from './view.ts';

/** The relay takes a code for so long after its set was issued. */
const CODE_AGE_MS = 90 * 86_400_000;

/**
 * How many wrong codes of a sheet were told from `from` to `to` (ms), each claim once: what locks a set.
 * Codes by SMS and of a phone have locks of their own, and a shop that is closed for a day locks nobody.
 */
export function wrongOfSheet(
	judged: ShopFacts['judged'],
	{ from, to = Infinity }: { readonly from: number; readonly to?: number }
): number {
	const wrong = judged.filter(
		({ way, verdict: { result, at } }) =>
			way === 'sheet' && result === 'wrong' && at >= from && at <= to
	);
	return new Set(wrong.map(({ claimId }) => claimId)).size;
}

/** The latest word on each set of codes of a shop. */
export function codesViews(
	{ codes, judged }: ShopFacts,
	card: CardFields,
	nowMs: number
): readonly CodesView[] {
	const sets = groupBy(codes, ({ fields: { kind, currency, exponent } }) =>
		[kind, currency, exponent].join(' ')
	);
	const epoch = Math.max(card.epoch ?? 0, ...codes.map(({ fields }) => fields.epoch));
	return [...sets.values()].flatMap((ofOne): readonly CodesView[] => {
		const latest = ofOne.at(-1)?.fields;
		if (latest === undefined) return [];
		const { kind, cap, issuedAt, open, used } = latest;
		const isLocked = wrongOfSheet(judged, { from: issuedAt }) >= WRONG_SHEETS_MAX;
		return [
			{
				kind,
				money: moneyForm(latest, card),
				epoch: latest.epoch,
				...(card.secret !== undefined && card.epoch === latest.epoch && { secret: card.secret }),
				capMinor: cap,
				issuedAt,
				isTooOld: nowMs > issuedAt + CODE_AGE_MS,
				isLocked,
				isRevoked: latest.epoch < epoch || card.state === 'ended',
				open: open.toSorted((a, b) => a - b),
				used: used.toSorted((a, b) => a - b)
			}
		];
	});
}
