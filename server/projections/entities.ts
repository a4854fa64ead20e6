import type { Sql } from 'postgres';
import { foldLatest, NO_FIELDS, type LatestFields } from './latest-fields.ts';
import type { Effected } from './effected.ts';

/** One field-wise folded entity of a business. */
interface EntityRow extends LatestFields {
	readonly business: string;
	readonly key: string;
}

/** What a batch says of entities, in any order, by `{business} {key}`. */
type Changes = ReadonlyMap<string, readonly Change[]>;

interface Change {
	readonly business: string;
	readonly key: string;
	readonly fields: object;
	readonly from: Effected;
}

export async function projectProducts(sql: Sql, facts: readonly Effected[]): Promise<void> {
	const changes = group(facts.flatMap((from) => from.effects.products.map(changeOf(from))));
	if (changes.size === 0) return;
	const { businesses, keys } = namesOf(changes);
	const rows = fold(
		changes,
		await sql<EntityRow[]>`
			select business, product as key, fields, stamps from product
			where (business, product) in
				(select * from unnest(${businesses}::uuid[], ${keys}::text[]))`
	);
	await sql`
		insert into product (business, product, fields, stamps)
		select business, product, fields::jsonb, stamps::jsonb from unnest(
			${rows.map(({ business }) => business)}::uuid[],
			${rows.map(({ key }) => key)}::text[],
			${rows.map(({ fields }) => JSON.stringify(fields))}::text[],
			${rows.map(({ stamps }) => JSON.stringify(stamps))}::text[]
		) as given (business, product, fields, stamps)
		on conflict (business, product)
		do update set fields = excluded.fields, stamps = excluded.stamps`;
}

export async function projectCustomers(sql: Sql, facts: readonly Effected[]): Promise<void> {
	const changes = group(facts.flatMap((from) => from.effects.customers.map(changeOf(from))));
	if (changes.size === 0) return;
	const { businesses, keys } = namesOf(changes);
	const rows = fold(
		changes,
		await sql<EntityRow[]>`
			select business, ledger as key, fields, stamps from customer
			where (business, ledger) in
				(select * from unnest(${businesses}::uuid[], ${keys}::uuid[]))`
	);
	await sql`
		insert into customer (business, ledger, fields, stamps)
		select business, ledger, fields::jsonb, stamps::jsonb from unnest(
			${rows.map(({ business }) => business)}::uuid[],
			${rows.map(({ key }) => key)}::uuid[],
			${rows.map(({ fields }) => JSON.stringify(fields))}::text[],
			${rows.map(({ stamps }) => JSON.stringify(stamps))}::text[]
		) as given (business, ledger, fields, stamps)
		on conflict (business, ledger)
		do update set fields = excluded.fields, stamps = excluded.stamps`;
}

export async function projectSettings(sql: Sql, facts: readonly Effected[]): Promise<void> {
	const changes = group(
		facts.flatMap((from) => {
			const { settings } = from.effects;
			return settings === null ? [] : [changeOf(from)({ key: '', fields: settings })];
		})
	);
	if (changes.size === 0) return;
	const { businesses } = namesOf(changes);
	const rows = fold(
		changes,
		await sql<EntityRow[]>`
			select business, '' as key, fields, stamps from setting
			where business = any(${businesses}::uuid[])`
	);
	await sql`
		insert into setting (business, fields, stamps)
		select business, fields::jsonb, stamps::jsonb from unnest(
			${rows.map(({ business }) => business)}::uuid[],
			${rows.map(({ fields }) => JSON.stringify(fields))}::text[],
			${rows.map(({ stamps }) => JSON.stringify(stamps))}::text[]
		) as given (business, fields, stamps)
		on conflict (business) do update set fields = excluded.fields, stamps = excluded.stamps`;
}

function changeOf(
	from: Effected
): (change: { readonly key: string; readonly fields: object }) => Change {
	return ({ key, fields }) => ({ business: from.business, key, fields, from });
}

function group(changes: readonly Change[]): Changes {
	return Map.groupBy(changes, ({ business, key }) => `${business} ${key}`);
}

function namesOf(changes: Changes): {
	readonly businesses: readonly string[];
	readonly keys: readonly string[];
} {
	const firsts = Array.from(changes.values()).flatMap(([first]) => first ?? []);
	return {
		businesses: firsts.map(({ business }) => business),
		keys: firsts.map(({ key }) => key)
	};
}

/** The entities as they are after the changes. */
function fold(changes: Changes, held: readonly EntityRow[]): readonly EntityRow[] {
	const heldByName = new Map(held.map((row) => [`${row.business} ${row.key}`, row]));
	return Array.from(changes, ([name, ofEntity]) => {
		let row: LatestFields = heldByName.get(name) ?? NO_FIELDS;
		for (const { fields, from } of ofEntity) {
			row = foldLatest(row, fields, { ...from.fact.at, id: from.fact.id });
		}
		const [business = '', key = ''] = name.split(' ');
		return { business, key, fields: row.fields, stamps: row.stamps };
	});
}
