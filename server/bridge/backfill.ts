import type { Sql } from 'postgres';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { assert } from '#domain/assert.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Claim } from '#domain/confirmation/claim.ts';
import type { BusinessId, LedgerId, PersonId } from '#domain/ids.ts';
import type { AppendRelayFacts, RelayFactDraft } from '#server/auth/relay-fact-draft.ts';
import { rawSql, type Transaction } from '#server/database/transaction.ts';
import type { Backfill } from '#server/ledgers/ledger-parts.ts';
import { dayOf, leaveAll, lockDays } from './day-limit.ts';
import { holdPlaces } from './early-answers.ts';
import { isLong, readLacking, readNamed, SLICE_LENGTH } from './ledger-book.ts';
import { isOfFact } from './passed.ts';
import { cardFor, keepTold, readCard } from './told-cards.ts';
import { byOthers, carriesOf, takeFresh, type ShopFact } from './to-person.ts';
import { earlyDeliveriesOf } from './to-shop.ts';

export interface BackfillParts {
	readonly clock: () => number;
	readonly crypto: CryptoParts;
	readonly appendRelayFacts: AppendRelayFacts;
	/** The relay's point, 65 bytes. */
	readonly relayKey: Uint8Array;
}

/**
 * BRIDGE-3. Brings a person all that stands in a ledger so far: the shop's card, every record with
 * its receipt, promises and moved due dates, what was judged, and what others answered who stood
 * there before. Nothing twice, however often. BRIDGE-13. What a long ledger holds is left to the bridge,
 * which brings it in transactions of its own.
 */
export function createBackfill(parts: BackfillParts): Backfill {
	return {
		hold: async (transaction, { business, ...way }) => {
			const sql = rawSql(transaction);
			await holdPlaces(sql, [way.person]);
			await lockDays(sql, { business, day: dayOf(parts.clock()) }, [way]);
		},
		bring: (transaction, link) => bringAll(parts, transaction, link)
	};
}

async function bringAll(
	parts: BackfillParts,
	transaction: Transaction,
	link: Linked
): Promise<void> {
	const { business, ledger, person } = link;
	const sql = rawSql(transaction);
	const card = await readCard(sql, business, parts);
	const fields = await cardFor(sql, card, { business, ledger, relayKey: parts.relayKey });
	await parts.appendRelayFacts(transaction, person, [
		{ kind: 'card', businessId: business, ledgerId: ledger, fields, branch: null }
	]);
	await keepTold(sql, [person], { business, key: card.key, now: parts.clock() });
	if (!(await isLong(sql, business, ledger)) && (await canBringBook(parts, transaction, link)))
		return;
	await leaveAll(sql, link);
}

/** BRIDGE-20. One thing that cannot be brought keeps nobody from being linked: the bridge finds which it is. */
async function canBringBook(
	parts: BackfillParts,
	transaction: Transaction,
	link: Linked
): Promise<boolean> {
	try {
		await transaction.transaction((inner) => bringBook(parts, inner, link));
		return true;
	} catch (fault) {
		if (!isOfFact(fault)) throw fault;
		return false;
	}
}

async function bringBook(
	parts: BackfillParts,
	transaction: Transaction,
	{ business, ledger, person }: Linked
): Promise<void> {
	const sql = rawSql(transaction);
	const carry = { sql, business, crypto: parts.crypto };
	const names = await readLacking(sql, { business, ledger, person, after: 0 });
	const all = await carriesOf(carry, await readNamed(sql, business, names));
	const carries = await byOthers(sql, [{ ledger, person }], all);
	const now = parts.clock();
	const fresh = await takeFresh(carry, person, { carries, now });
	const drafts = [
		...fresh.map(({ draft }) => draft),
		...(await readJudged(sql, { business, ledger, person }))
	];
	await parts.appendRelayFacts(transaction, person, drafts);
	for (const early of await earlyDeliveriesOf(sql, { business, person, now }, fresh))
		await parts.appendRelayFacts(transaction, early.scope, [early.draft]);
}

interface Linked {
	readonly business: BusinessId;
	readonly ledger: LedgerId;
	readonly person: PersonId;
}

/**
 * A number that was proved may have answered before there was an app. What the person heard when it
 * was judged he does not hear again. So many as are brought at once.
 */
export async function readJudged(
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
		order by fact.s limit ${SLICE_LENGTH}`;
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
