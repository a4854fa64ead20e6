import type { Sql } from 'postgres';
import { until } from './relay-stand.ts';

/** A real database that is asked some statements only when a test lets it be: all connections are busy. */
export interface HeldSql {
	readonly wrap: (sql: Sql) => Sql;
	isHolding: boolean;
	/** How many statements wait. */
	readonly waiting: number;
}

/** Holds those that match. */
export function createHeldSql(pattern: RegExp): HeldSql {
	let waiting = 0;
	const held = {
		isHolding: false,
		get waiting() {
			return waiting;
		},
		wrap: (sql: Sql): Sql =>
			new Proxy(sql, {
				apply: (target, self, given: readonly unknown[]): unknown => {
					const ask = (): unknown =>
						Reflect.apply<unknown, never[], unknown>(target as never, self, given as never[]);
					const [text] = given;
					if (!held.isHolding || !Array.isArray(text) || !pattern.test(text.join('?')))
						return ask();
					waiting += 1;
					return until(() => !held.isHolding).then(() => {
						waiting -= 1;
						return ask();
					});
				}
			})
	};
	return held;
}
