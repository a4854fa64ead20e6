import type { Sql } from 'postgres';
import { recordHash } from '#domain/confirmation/record-hash.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import { recordsOf } from '#domain/fact/effects.ts';
import type { Fact } from '#domain/fact/fact.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import type { FoldMeter } from '#server/database/fold-meter.ts';
import { foldsAnew } from '#server/projections/folds-anew.ts';
import type { Allowance } from './allowance.ts';
import { factKey, type Submission } from './submission.ts';

export interface FoldParts extends Pick<FoldMeter, 'isSpent'> {
	readonly crypto: CryptoParts;
}

/** With what counts what the feed alone brings; what a batch brings is counted where it is projected. */
export type MeteredFolds = FoldParts & Pick<FoldMeter, 'take'>;

/**
 * RELAY-82. The facts of a batch, by `factKey`, for which a ledger would be folded anew though its business
 * is beyond what is folded for it. Locks nothing, and asks nothing where nobody is.
 */
export async function readHeldBack(
	tx: Sql,
	batch: readonly Submission[],
	folds: FoldParts | undefined
): Promise<ReadonlySet<string>> {
	const held = new Set<string>();
	if (folds === undefined) return held;
	const mayBeNamed: Told[] = [];
	for (const { caller, checks } of batch.filter(({ caller: { scope } }) => folds.isSpent(scope))) {
		for (const check of checks.values()) {
			if (!check.ok) continue;
			const told = { scope: caller.scope, fact: check.value };
			if (foldsAnew(told.fact)) held.add(keyOf(told));
			else mayBeNamed.push(told);
		}
	}
	for (const told of await readNamed(tx, mayBeNamed, folds.crypto)) held.add(keyOf(told));
	return held;
}

interface Told {
	readonly scope: ScopeId;
	readonly fact: Fact;
}

function keyOf({ scope, fact }: Told): string {
	return factKey(scope, fact.id);
}

/** Those that carry a record of which something was said before it came. */
async function readNamed(
	tx: Sql,
	told: readonly Told[],
	crypto: CryptoParts
): Promise<readonly Told[]> {
	const carried = await Promise.all(
		told.flatMap((each) =>
			recordsOf(each.fact).map(async ({ core, signed }) => {
				return { told: each, ledger: core.ledgerId, h: await recordHash(signed.a, crypto) };
			})
		)
	);
	if (carried.length === 0) return [];
	const rows = await tx<{ business: string; ledger: string; h: string }[]>`
		select business, ledger, h from early_name where (business, ledger, h) in (
			select * from unnest(
				${carried.map((each) => each.told.scope)}::uuid[],
				${carried.map(({ ledger }) => ledger)}::uuid[],
				${carried.map(({ h }) => h)}::text[]
			)
		)`;
	const named = new Set(rows.map(({ business, ledger, h }) => `${business} ${ledger} ${h}`));
	return carried
		.filter((each) => named.has(`${each.told.scope} ${each.ledger} ${each.h}`))
		.map((each) => each.told);
}

/** What devices may still bring, less what is held back. */
export function holdingBack(allowance: Allowance, held: ReadonlySet<string>): Allowance {
	if (held.size === 0) return allowance;
	return {
		...allowance,
		beyond: (bearer, bringing) => {
			const beyond = allowance.beyond(bearer, bringing);
			if (beyond === 'all') return beyond;
			const folding = bringing.facts.filter(({ device, fact }) =>
				held.has(factKey(device.scope, fact.id))
			);
			return Array.from(new Set([...beyond, ...folding]));
		}
	};
}
