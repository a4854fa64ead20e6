import type { Sql } from 'postgres';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { assert } from '#domain/assert.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Claim } from '#domain/confirmation/claim.ts';
import type { BranchId, BusinessId, LedgerId, PersonId } from '#domain/ids.ts';
import type { AppendRelayFacts, RelayFactDraft } from '#server/auth/relay-fact-draft.ts';
import { NO_LEDGER } from '#server/database/journal.ts';
import { clockColumns, storedFact, type StoredText } from '#server/database/stored-fact.ts';
import { rawSql, type Transaction } from '#server/database/transaction.ts';
import type { Backfill } from '#server/ledgers/ledger-parts.ts';
import { holdPlaces } from './early-answers.ts';
import { byOthers, carriesOf, takeFresh, type ShopFact } from './to-person.ts';
import { keepTold, readCard } from './told-cards.ts';
import { earlyDeliveriesOf } from './to-shop.ts';

export interface BackfillParts {
	readonly clock: () => number;
	readonly crypto: CryptoParts;
	readonly appendRelayFacts: AppendRelayFacts;
	/** The relay's point, 65 bytes. */
	readonly relayKey: Uint8Array;
}

/** So many facts at once; a ledger of years is written in several goes of one transaction. */
const SLICE_LENGTH = 500;

/**
 * BRIDGE-3. Brings a person all that stands in a ledger so far: the shop's card, every record with
 * its receipt, promises and moved due dates, what was judged, and what others answered who stood
 * there before. Nothing twice, however often.
 */
export function createBackfill(parts: BackfillParts): Backfill {
	return {
		hold: (transaction, person) => holdPlaces(rawSql(transaction), [person]),
		bring: (transaction, link) => bringAll(parts, transaction, link)
	};
}

async function bringAll(
	parts: BackfillParts,
	transaction: Transaction,
	{ business, ledger, person }: Linked
): Promise<void> {
	const sql = rawSql(transaction);
	const { fields, key } = await readCard(sql, business, parts);
	await parts.appendRelayFacts(transaction, person, [
		{ kind: 'card', businessId: business, ledgerId: ledger, fields, branch: null }
	]);
	await keepTold(sql, [person], { business, key, now: parts.clock() });
	const carry = { sql, business, crypto: parts.crypto };
	const all = await carriesOf(carry, await readFacts(sql, business, ledger));
	const carries = await byOthers(sql, [{ ledger, person }], all);
	const fresh = await takeFresh(carry, person, { carries, now: parts.clock() });
	const drafts = [
		...fresh.map(({ draft }) => draft),
		...(await readJudged(sql, { business, ledger, person }))
	];
	for (let at = 0; at < drafts.length; at += SLICE_LENGTH)
		await parts.appendRelayFacts(transaction, person, drafts.slice(at, at + SLICE_LENGTH));
	for (const early of await earlyDeliveriesOf(sql, { business, person }, fresh))
		await parts.appendRelayFacts(transaction, early.scope, [early.draft]);
}

/** What a ledger's book holds, in the order of the shop's feed. */
export async function readFacts(
	sql: Sql,
	business: string,
	ledger: string
): Promise<readonly ShopFact[]> {
	const rows = await sql<(StoredText & { branch: BranchId | null })[]>`
		select fact.branch, fact.text, ${clockColumns(sql)}
		from fact left join clock using (business, code, n)
		where business = ${business} and (code, n) in (
			select code, n from record where business = ${business} and ledger = ${ledger}
			union
			select code, n from ledger_fact
			where business = ${business} and ledger = ${ledger} and kind in ('entry', 'record', 'answered')
			union
			-- An insisting names its record alone; whose that is, is found there.
			select code, n from ledger_fact
			where business = ${business} and ledger = ${NO_LEDGER} and kind = 'record'
		)
		order by s`;
	return rows.map((row) => ({ branch: row.branch, fact: storedFact(row) }));
}

interface Linked {
	readonly business: BusinessId;
	readonly ledger: LedgerId;
	readonly person: PersonId;
}

/**
 * A number that was proved may have answered before there was an app. What the person heard when it
 * was judged he does not hear again.
 */
async function readJudged(
	sql: Sql,
	{ business, ledger, person }: Linked
): Promise<readonly RelayFactDraft[]> {
	const rows = await sql<{ text: string; way: Claim['way']; counter: string | null }[]>`
		select fact.text, claim.way, claim.counter
		from ledger_fact join fact using (business, code, n)
		join claim on claim.business = fact.business
			and claim.claim = (fact.text::json ->> 7)::uuid
		where ledger_fact.business = ${business} and ledger_fact.ledger = ${ledger}
			and ledger_fact.kind = 'verdict' and not exists (
				select from fact as heard
				where heard.business = ${person} and heard.kind = 'judged'
					and heard.text::json ->> 6 = ${business}
					and heard.text::json ->> 8 = fact.text::json ->> 7
			)
		order by fact.s`;
	return rows.flatMap(({ text, way, counter }): readonly RelayFactDraft[] => {
		const fact = read(text);
		if (fact.kind !== 'verdict') return [];
		const { ledgerId, claimId, verdict, v, sig, kid, wrong } = fact;
		const body = { ledgerId, claimId, verdict, v, sig, kid, wrong, way };
		return [
			{ kind: 'judged', businessId: business, ...body, counter: Number(counter ?? 0), branch: null }
		];
	});
}

function read(text: string): ShopFact['fact'] {
	const fact = parseFact(text);
	assert(fact.ok, 'a stored fact was parsed before');
	return fact.value;
}
