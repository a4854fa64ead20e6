import type { BusinessId } from '#domain/ids.ts';

/** The small database that lists the businesses of this device. */
export const REGISTRY_NAME = 'daftar';

/** The database of one business on this device. */
export function databaseName(business: BusinessId): string {
	return `${REGISTRY_NAME}-${business}`;
}
