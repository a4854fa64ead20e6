import type { Sql, TransactionSql } from 'postgres';

/** Where the next transaction breaks. */
export type Break =
	/** Before it begins. */
	| { readonly at: 'begin'; readonly code: string }
	/** At its n-th statement, counted from 1; what was sent beside it goes on. */
	| { readonly at: 'statement'; readonly n: number; readonly code: string }
	/** It may not write, as at a standby. */
	| { readonly at: 'readOnly' }
	/** It commits, and the answer gets lost. */
	| { readonly at: 'answer'; readonly code: string };

/** A real database whose next transaction breaks where a test wants it to. */
export interface FailingSql {
	readonly wrap: (sql: Sql) => Sql;
	/** Taken by the next transaction; undefined where none is to break. */
	next: Break | undefined;
	/** How many transactions broke as they were meant to. */
	readonly broken: number;
}

export function createFailingSql(): FailingSql {
	let next: Break | undefined;
	let broken = 0;

	function fault(code: string): Error {
		broken += 1;
		return Object.assign(new Error(`broken on purpose: ${code}`), { code });
	}

	async function begin(sql: Sql, act: Act): Promise<unknown> {
		const plan = next;
		next = undefined;
		switch (plan?.at) {
			case undefined:
				return sql.begin(act);
			case 'begin':
				throw fault(plan.code);
			case 'statement':
				return sql.begin((tx) => act(counting(tx, plan.n, () => fault(plan.code))));
			case 'readOnly':
				broken += 1;
				return sql.begin('read only', act);
			case 'answer':
				await sql.begin(act);
				throw fault(plan.code);
		}
	}

	return {
		wrap: (sql) =>
			new Proxy(sql, {
				get: (target, name, self): unknown =>
					name === 'begin' ? (act: Act) => begin(target, act) : Reflect.get(target, name, self)
			}),
		get next() {
			return next;
		},
		set next(plan) {
			next = plan;
		},
		get broken() {
			return broken;
		}
	};
}

type Act = (tx: TransactionSql) => Promise<unknown>;

/** The same transaction, but its n-th statement is not made and fails. */
function counting(tx: TransactionSql, n: number, fault: () => Error): TransactionSql {
	let statements = 0;
	return new Proxy(tx, {
		apply: (target, self, given: readonly unknown[]): unknown => {
			const isStatement = Array.isArray(given[0]) && 'raw' in given[0];
			if (isStatement) statements += 1;
			return isStatement && statements === n
				? Promise.reject(fault())
				: Reflect.apply<unknown, never[], unknown>(target as never, self, given as never[]);
		}
	});
}
