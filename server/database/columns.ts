import { bigint, customType, type PgBigInt53BuilderInitial } from 'drizzle-orm/pg-core';

/** Raw bytes: digests, keys, updates. */
export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({
	dataType: () => 'bytea',
	// The driver hands over a Buffer; callers get a plain array, so that whole objects compare equal.
	fromDriver: (value) => new Uint8Array(value),
	toDriver: (value) => Buffer.from(value)
});

/** An instant in UTC milliseconds, as everywhere in the code, chosen by the clock handed in. */
export function instant<Name extends string>(name: Name): PgBigInt53BuilderInitial<Name> {
	return bigint(name, { mode: 'number' });
}
