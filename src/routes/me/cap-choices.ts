import type { RecordView } from '#domain/person/view.ts';

const CHOICES = 4;
/** Steps in which people name round sums. */
const STEPS: readonly bigint[] = [1n, 2n, 5n];

/**
 * Round limits for a set of codes, smallest first: around what this shop's largest recent debits
 * came to, else around a hundred. Minor units.
 */
export function capChoices(
	records: readonly Pick<RecordView, 'side' | 'amountMinor'>[],
	exponent: number
): readonly number[] {
	const unit = 10n ** BigInt(exponent);
	const usual = records
		.filter(({ side }) => side === 'took')
		.slice(0, RECENT)
		.reduce((most, { amountMinor }) => Math.max(most, amountMinor), 0);
	const wanted = usual === 0 ? 100n * unit : BigInt(usual);
	const rounds = roundSums(unit).filter((sum) => sum <= CAP_MAX);
	const fits = rounds.findIndex((sum) => sum >= wanted);
	const start = Math.max(0, (fits === -1 ? rounds.length - 1 : fits) - 1);
	return rounds.slice(start, start + CHOICES).map(Number);
}

const RECENT = 30;
const CAP_MAX = 10n ** 13n;
const DECADES = 14;

function roundSums(unit: bigint): readonly bigint[] {
	const sums: bigint[] = [];
	for (let decade = 0; decade < DECADES; decade++)
		for (const step of STEPS) sums.push(step * 10n ** BigInt(decade) * unit);
	return sums;
}
