import type { Sql } from 'postgres';
import { encodeBase64url, utf8 } from '#domain/bytes.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { CardFields } from '#domain/fact/ledger-fact.ts';
import type { BusinessId, LedgerId, PersonId } from '#domain/ids.ts';
import type { AppendRelayFacts, LockScopes, ScopeId } from '#server/auth/relay-fact-draft.ts';
import { NO_LEDGER } from '#server/database/journal.ts';
import { rawSql, type Transaction } from '#server/database/transaction.ts';
import { isOtherDay, type OfDay } from './day-limit.ts';
import { CARD_DEVICES_MAX, readShopCard, type CardAsked } from './shop-card.ts';

/** How often one person is told another card of one shop on one UTC day of the relay. */
export const CARDS_DAY_MAX = 20;
/** So many people are told in one transaction, which holds their feeds. */
const PEOPLE_AT_ONCE = 100;

/** A shop's card as it is now. */
export interface ShopCard {
	readonly fields: CardFields;
	/** The card that a person was told last stands under it in `bridged`, of no ledger. */
	readonly key: string;
}

export interface CardParts {
	readonly crypto: CryptoParts;
	/** The relay's point, 65 bytes. */
	readonly relayKey: Uint8Array;
}

export async function readCard(
	sql: Sql,
	business: BusinessId,
	{ crypto, relayKey }: CardParts
): Promise<ShopCard> {
	const fields = await readShopCard(sql, { business, relayKey });
	return { fields, key: encodeBase64url(await crypto.sha256(utf8(JSON.stringify(fields)))) };
}

/** The same for who holds a ledger: it names the keys of its records, where not all have room. */
export async function cardFor(
	sql: Sql,
	{ fields }: ShopCard,
	asked: Required<CardAsked>
): Promise<CardFields> {
	const isFull = (fields.devices?.length ?? 0) >= CARD_DEVICES_MAX;
	return isFull ? readShopCard(sql, asked) : fields;
}

/** Under the lock of their feeds: this card is what they were told last. */
export async function keepTold(
	sql: Sql,
	people: readonly PersonId[],
	{
		business,
		key,
		now
	}: { readonly business: BusinessId; readonly key: string; readonly now: number }
): Promise<void> {
	await sql`
		delete from bridged
		where business = ${business} and ledger = ${NO_LEDGER} and person = any(${people}::uuid[])`;
	await sql`
		insert into bridged (business, ledger, person, key, wrote_at, booked_at)
		select ${business}::uuid, ${NO_LEDGER}::uuid, person, ${key}, ${now}::bigint, ${now}::bigint
		from unnest(${people}::uuid[]) as given (person)`;
}

/**
 * BRIDGE-12. Notes who is to be told the shop's card: who is linked and was told another one last. Who is
 * noted already is being told, perhaps one that was read before this.
 */
export async function noteCard(sql: Sql, business: BusinessId, key: string): Promise<void> {
	await sql`
		insert into bridge_state as state (business, ledger, person, is_behind)
		select distinct link.business, ${NO_LEDGER}::uuid, link.person, true
		from ledger_link as link
		left join bridged as told on told.business = link.business
			and told.ledger = ${NO_LEDGER} and told.person = link.person and told.key = ${key}
		left join bridge_state as noted on noted.business = link.business
			and noted.ledger = ${NO_LEDGER} and noted.person = link.person
		where link.business = ${business} and link.state = 'linked' and link.person is not null
			and (told.key is null or noted.is_behind)
		order by link.person
		on conflict (business, ledger, person) do update set is_behind = true
			where not state.is_behind`;
}

/** The shops of whose card somebody is to be told today. */
export async function findCards(sql: Sql, day: number): Promise<readonly BusinessId[]> {
	const rows = await sql<{ business: BusinessId }[]>`
		select distinct business from bridge_state
		where is_behind and ledger = ${NO_LEDGER} and (${isOtherDay(sql, day)} or count < ${CARDS_DAY_MAX})`;
	return rows.map(({ business }) => business);
}

export interface TellParts extends CardParts {
	readonly clock: () => number;
	readonly appendRelayFacts: AppendRelayFacts;
	readonly lockScopes: LockScopes;
}

/** BRIDGE-12. Tells the next of those who are noted; undefined where nobody is left today. */
export async function tellCard(
	parts: TellParts,
	transaction: Transaction,
	{ business, day }: OfDay
): Promise<ReadonlySet<ScopeId> | undefined> {
	const sql = rawSql(transaction);
	const people = await takeNoted(sql, { business, day });
	if (people.length === 0) return undefined;
	// Read under the locks: whoever links, ends or tells holds them too, and no older card comes after.
	await parts.lockScopes(transaction, people);
	const card = await readCard(sql, business, parts);
	const links = await readLacking(sql, people, { business, key: card.key });
	const { relayKey } = parts;
	for (const { person, ledger } of links) {
		const fields = await cardFor(sql, card, { business, ledger, relayKey });
		await parts.appendRelayFacts(transaction, person, [
			{ kind: 'card', businessId: business, ledgerId: ledger, fields, branch: null }
		]);
	}
	const told = Array.from(new Set(links.map(({ person }) => person)));
	await keepTold(sql, told, { business, key: card.key, now: parts.clock() });
	await sql`
		update bridge_state set is_behind = false, day = ${day},
			count = case when day = ${day} then count else 0 end
				+ (person = any(${told}::uuid[]))::int
		where business = ${business} and ledger = ${NO_LEDGER} and person = any(${people}::uuid[])`;
	return new Set(told);
}

async function takeNoted(sql: Sql, { business, day }: OfDay): Promise<readonly PersonId[]> {
	const rows = await sql<{ person: PersonId }[]>`
		select person from bridge_state
		where business = ${business} and ledger = ${NO_LEDGER} and is_behind
			and (${isOtherDay(sql, day)} or count < ${CARDS_DAY_MAX})
		order by person limit ${PEOPLE_AT_ONCE}
		for update skip locked`;
	return rows.map(({ person }) => person);
}

async function readLacking(
	sql: Sql,
	people: readonly PersonId[],
	{ business, key }: { readonly business: BusinessId; readonly key: string }
): Promise<readonly { readonly ledger: LedgerId; readonly person: PersonId }[]> {
	return sql<{ ledger: LedgerId; person: PersonId }[]>`
		select ledger, person from ledger_link
		where business = ${business} and person = any(${people}::uuid[]) and state = 'linked'
			and not exists (
				select from bridged as told where told.business = ${business}
					and told.ledger = ${NO_LEDGER} and told.person = ledger_link.person
					and told.key = ${key}
			)
		order by person`;
}
