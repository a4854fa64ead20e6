import { and, eq, isNotNull } from 'drizzle-orm';
import { decodeBase64url, equalBytes } from '#domain/bytes.ts';
import { claimHash, type Claim } from '#domain/confirmation/claim.ts';
import type { Verdict } from '#domain/confirmation/verdict.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { fact, ledgerFact } from '#server/database/journal.ts';
import type { Transaction } from '#server/database/transaction.ts';
import { ofLedger } from '#server/ledgers/guard.ts';
import type { LedgerName, LedgerParts } from '#server/ledgers/ledger-parts.ts';

/** A verdict of before a restore. Its signature was checked when it was let in. */
export interface CarriedVerdict {
	readonly verdict: Verdict;
	readonly v: Uint8Array;
	readonly sig: Uint8Array;
}

/** The verdict on this very claim that a device handed in, the first of them where there are two. */
export async function findCarried(
	tx: Transaction,
	{ crypto }: Pick<LedgerParts, 'crypto'>,
	{ name, claim }: { readonly name: LedgerName; readonly claim: Claim }
): Promise<CarriedVerdict | undefined> {
	const rows = await tx
		.select({ text: fact.text })
		.from(ledgerFact)
		.innerJoin(
			fact,
			and(
				eq(fact.business, ledgerFact.business),
				eq(fact.code, ledgerFact.code),
				eq(fact.n, ledgerFact.n)
			)
		)
		.where(
			and(ofLedger(ledgerFact, name), eq(ledgerFact.kind, 'verdict'), isNotNull(fact.carriedBy))
		);
	const said = await claimHash(claim, crypto);
	const found = rows.flatMap(({ text }) => {
		const parsed = parseFact(text);
		if (!parsed.ok || parsed.value.kind !== 'verdict') return [];
		const { verdict } = parsed.value;
		const [v, sig] = [decodeBase64url(parsed.value.v), decodeBase64url(parsed.value.sig)];
		const isOfClaim = verdict.h === claim.h && equalBytes(verdict.claimHash, said);
		return isOfClaim && v.ok && sig.ok ? [{ verdict, v: v.value, sig: sig.value }] : [];
	});
	return found.toSorted((a, b) => orderOf(a) - orderOf(b))[0];
}

function orderOf({ verdict: { relayEpoch, seq } }: CarriedVerdict): number {
	return relayEpoch * 2 ** 26 + seq;
}
