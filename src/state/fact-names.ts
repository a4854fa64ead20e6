import { effectsOf } from '#domain/fact/effects.ts';
import type { Fact } from '#domain/fact/fact.ts';
import type { LedgerId, ProductId } from '#domain/ids.ts';
import type { DeviceStore, StoreReader } from '#storage/device-store.ts';

/** So many names stand beside one fact; of more the first. */
const NAMES_MAX = 3;

/**
 * Whom or what each fact is about, by its id: the names of customers and products as this device has
 * them, else as one of these facts says. Empty where nobody is named.
 */
export function readFactNames(
	store: DeviceStore,
	facts: readonly Fact[]
): Promise<ReadonlyMap<string, readonly string[]>> {
	return store.read(['customers', 'products'], async (rows) => {
		const told = toldNames(facts);
		const named = facts.map((fact) => ({ fact, subjects: subjectsOf(fact) }));
		const held = await heldNames(
			rows,
			named.flatMap(({ subjects }) => subjects)
		);
		return new Map(
			named.map(({ fact, subjects }) => {
				const names = subjects.flatMap((id) => held.get(id) ?? told.get(id) ?? []);
				return [fact.id, [...new Set(names)].slice(0, NAMES_MAX)] as const;
			})
		);
	});
}

type Subject = LedgerId | ProductId;

/** Goods that were sold or came back stand on the receipt, which is known by its number. */
function subjectsOf(fact: Fact): readonly Subject[] {
	const { records, customers, products, stock, entries, merges } = effectsOf(fact);
	const all: readonly Subject[] = [
		...records.map(({ core }) => core.ledgerId),
		...customers.map(({ key }) => key),
		...entries.flatMap(({ ledgerId }) => (ledgerId === 0 ? [] : [ledgerId])),
		...merges.flatMap(({ a, b }) => [a, b]),
		...products.map(({ key }) => key),
		...(fact.kind === 'adjust' ? stock.map(({ productId }) => productId) : [])
	];
	return [...new Set(all)];
}

function toldNames(facts: readonly Fact[]): ReadonlyMap<string, string> {
	const effects = facts.map(effectsOf);
	const named = effects.flatMap(({ customers, products }) => [...customers, ...products]);
	return new Map(
		named.flatMap(({ key, fields: { name } }) => (name === undefined ? [] : [[key, name] as const]))
	);
}

async function heldNames(
	rows: StoreReader,
	subjects: readonly Subject[]
): Promise<ReadonlyMap<string, string>> {
	const ids = [...new Set(subjects)];
	const [customers, products] = await Promise.all([
		rows.getMany('customers', ids),
		rows.getMany('products', ids)
	]);
	return new Map(
		ids.flatMap((id, place) => {
			const name = customers[place]?.name ?? products[place]?.name;
			return name === undefined ? [] : [[id, name] as const];
		})
	);
}
