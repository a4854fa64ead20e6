import { parsePersonId, type PersonId } from '#domain/ids.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import type { PersonName } from './connections.ts';

/** The people of this device, and which of them is looked at. */
export interface PeopleShelf {
	/** In the order in which they were first kept. */
	all(): Promise<readonly PersonName[]>;
	current(): Promise<PersonId | undefined>;
	/** Keeps these names; who is not among them stays, with what this device holds of him. */
	keep(people: readonly PersonName[]): Promise<void>;
	enter(person: PersonId): Promise<void>;
	/** The phone in whose book the person's facts lie; undefined for the first one's. */
	heirOf(person: PersonId): Promise<string | undefined>;
	/** From now on the person's book is the heir's `code`, where it was the one of `before`. */
	keepHeir(person: PersonId, before: string | undefined, code: string): Promise<void>;
	/** Forgets everybody; what is held of them stays in their databases. */
	leave(): Promise<void>;
}

const PEOPLE = 'people';
const CURRENT = 'currentPerson';

/** The list lies in the small database that lists the businesses of this device too. */
export function createPeopleShelf(store: DeviceStore): PeopleShelf {
	return {
		all: async () => peopleOf(await store.read(['meta'], (rows) => rows.get('meta', PEOPLE))),
		async current() {
			const row = await store.read(['meta'], (rows) => rows.get('meta', CURRENT));
			const person = parsePersonId(row?.value);
			return person.ok ? person.value : undefined;
		},
		keep: (people) =>
			store.write(['meta'], async (rows) => {
				const held = peopleOf(await rows.get('meta', PEOPLE));
				const byId = new Map([...held, ...people].map((one) => [one.person, one]));
				await rows.put('meta', [{ key: PEOPLE, value: [...byId.values()].map(copyOf) }]);
			}),
		enter: (person) =>
			store.write(['meta'], (rows) => rows.put('meta', [{ key: CURRENT, value: person }])),
		async heirOf(person) {
			const row = await store.read(['meta'], (rows) => rows.get('meta', heirKey(person)));
			return typeof row?.value === 'string' ? row.value : undefined;
		},
		keepHeir: (person, before, code) =>
			store.write(['meta'], async (rows) => {
				const held = await rows.get('meta', heirKey(person));
				// A page that slept through a further heir comes late with this one.
				if (held?.value !== before) return;
				await rows.put('meta', [{ key: heirKey(person), value: code }]);
			}),
		leave: () => store.write(['meta'], (rows) => rows.remove('meta', [PEOPLE, CURRENT]))
	};
}

function heirKey(person: PersonId): string {
	return `phone ${person}`;
}

/** What a screen handed in may be wrapped by it, and cannot be kept as it is. */
function copyOf({ person, name }: PersonName): PersonName {
	return { person, name };
}

function peopleOf(row: { readonly value: unknown } | undefined): readonly PersonName[] {
	return Array.isArray(row?.value) ? row.value.flatMap(asPerson) : [];
}

function asPerson(value: unknown): readonly PersonName[] {
	if (typeof value !== 'object' || value === null) return [];
	const { person: id, name } = value as { readonly person?: unknown; readonly name?: unknown };
	const person = parsePersonId(id);
	return person.ok && typeof name === 'string' ? [{ person: person.value, name }] : [];
}
