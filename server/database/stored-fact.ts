import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import { inTime, type FactTime } from '#domain/fact/clock-fact.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';

/** A fact's text, and when it counts where a clock fact says so. */
export interface StoredText {
	readonly text: string;
	readonly clock_wall: string | null;
	readonly clock_counter: number | null;
	readonly clock_on: string | null;
}

/** The columns of `clock` that `storedFact` asks for, of a statement that joins it left to its facts. */
export function clockColumns(sql: Sql): ReturnType<Sql> {
	return sql`clock.wall as clock_wall, clock.counter as clock_counter,
		clock.on_day::text as clock_on`;
}

/** The fact as every fold takes it. */
export function storedFact(row: StoredText): Fact {
	const fact = parseFact(row.text);
	assert(fact.ok, 'a stored fact was parsed before');
	return inTime(fact.value, clockOf(row));
}

/** Undefined where none speaks of the fact. */
export function clockOf({
	clock_wall: wall,
	clock_counter: counter,
	clock_on: on
}: Omit<StoredText, 'text'>): FactTime | undefined {
	if (wall === null || counter === null || on === null) return undefined;
	return { at: { wall: Number(wall), counter }, on };
}
