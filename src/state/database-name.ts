import type { BusinessId, DeviceCode, PersonId } from '#domain/ids.ts';

/** The small database that lists the businesses of this device. */
export const REGISTRY_NAME = 'daftar';

/** The database of one business on this device; an heir's is named by its code too. */
export function databaseName(business: BusinessId, heir?: DeviceCode): string {
	const name = `${REGISTRY_NAME}-${business}`;
	return heir === undefined ? name : `${name}-${heir}`;
}

/** The database of one person on this device; an heir's is named by its code too. */
export function personDatabase(person: PersonId, heir?: string): string {
	const name = `${REGISTRY_NAME}-person-${person}`;
	return heir === undefined ? name : `${name}-${heir}`;
}

/** Whether a database of that name is an heir's, and that one's; `p2` and `AB` end no UUID. */
export function isBookOf(name: string, heir: string): boolean {
	return name.endsWith(`-${heir}`);
}
