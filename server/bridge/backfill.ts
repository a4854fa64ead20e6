import type { Sql } from 'postgres';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { assert, present } from '#domain/assert.ts';
import { equalBytes } from '#domain/bytes.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import { claimHash, type Claim } from '#domain/confirmation/claim.ts';
import type { Verdict } from '#domain/confirmation/verdict.ts';
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
import { earlyDeliveriesOf, stampAlike } from './to-shop.ts';

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
		...(await readJudged(carry, { business, ledger, person }))
	];
	await parts.appendRelayFacts(transaction, person, drafts);
	const answers = await earlyDeliveriesOf(sql, { business, person, now }, fresh);
	for (const early of await stampAlike(sql, answers, now))
		await parts.appendRelayFacts(transaction, early.scope, [early.draft]);
}

/** Claims with one id that are looked at: a forger could hand in any number. */
const CLAIMS_MAX = 64;

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
	{ sql, crypto }: { readonly sql: Sql; readonly crypto: CryptoParts },
	{ business, ledger, person }: Linked
): Promise<readonly RelayFactDraft[]> {
	const rows = await sql<{ text: string; claims: readonly string[] }[]>`
		select fact.text, array (
			select claimed.text from claim join fact as claimed using (business, code, n)
			where claim.business = fact.business and claim.claim = (fact.text::json ->> 7)::uuid
			order by claim.code, claim.n limit ${CLAIMS_MAX}
		) as claims
		from ledger_fact join fact using (business, code, n)
		where ledger_fact.business = ${business} and ledger_fact.ledger = ${ledger}
			and ledger_fact.kind = 'verdict' and exists (
				select from claim where claim.business = fact.business
					and claim.claim = (fact.text::json ->> 7)::uuid
			) and not exists (
				select from fact as heard
				where heard.business = ${person} and heard.kind = 'judged'
					and heard.text::json ->> 6 = ${business}
					and heard.text::json ->> 8 = fact.text::json ->> 7
			)
		order by fact.s limit ${SLICE_LENGTH}`;
	return Promise.all(
		rows.map(async ({ text, claims }): Promise<RelayFactDraft> => {
			const fact = read(text);
			assert(fact.kind === 'verdict', 'asked for verdicts');
			const { ledgerId, claimId, verdict, v, sig, kid, wrong } = fact;
			const { way, counter = 0 } = await judgedClaim(verdict, claims.map(claimOf), crypto);
			const body = { ledgerId, claimId, verdict, v, sig, kid, wrong, way, counter };
			return { kind: 'judged', businessId: business, ...body, branch: null };
		})
	);
}

/** Which of the claims with its id a verdict is of; of what was carried it may be none that is here. */
async function judgedClaim(
	verdict: Verdict,
	claims: readonly Claim[],
	crypto: CryptoParts
): Promise<Claim> {
	for (const claim of claims) {
		if (equalBytes(await claimHash(claim, crypto), verdict.claimHash)) return claim;
	}
	return present(claims[0], 'asked for verdicts on claims');
}

function claimOf(text: string): Claim {
	const fact = read(text);
	assert(fact.kind === 'claim', 'a claim is named by its fact');
	return fact.claim;
}

function read(text: string): ShopFact['fact'] {
	const fact = parseFact(text);
	assert(fact.ok, 'a stored fact was parsed before');
	return fact.value;
}
