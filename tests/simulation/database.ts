import { drizzle } from 'drizzle-orm/postgres-js';
import postgres, { type Sql } from 'postgres';
import type { Database } from '#server/database/connect.ts';
import type { Canary } from './canary.ts';
import type { Chance } from './chance.ts';
import type { SimTime } from './time.ts';
import type { Trace } from './trace.ts';

/** The one real connection of a process of simulations, opened before any time is taken over. */
export interface SimServer {
	readonly sql: Sql;
	/** As the test database is: all tables and no rows. */
	readonly empty: () => Promise<void>;
	/** Keeps what every table holds now; the answer puts it back. */
	readonly snapshot: () => Promise<() => Promise<void>>;
	/** What statements were planned before the tables were made anew. */
	readonly forgetPlans: () => Promise<void>;
	readonly close: () => Promise<void>;
}

const KEPT_SCHEMA = 'kept';

export async function connectServer(url: string): Promise<SimServer> {
	const sql = postgres(url, {
		max: 1,
		max_lifetime: null,
		idle_timeout: 0,
		onnotice: () => undefined,
		host: decodeURIComponent(new URL(url).hostname)
	});
	drizzle(sql);
	const tables = (
		await sql<{ name: string }[]>`
			select table_name as name from information_schema.tables
			where table_schema = 'public' and table_type = 'BASE TABLE' order by table_name`
	).map(({ name }) => name);
	await sql`create schema if not exists ${sql(KEPT_SCHEMA)}`;
	const pointers = await readPointers(sql);
	const filled = async (): Promise<readonly string[]> => {
		const asks = tables.map(
			(name) => `select '${name}' as name where exists (select from "${name}")`
		);
		const rows = await sql.unsafe<{ name: string }[]>(asks.join(' union all '));
		return rows.map(({ name }) => name);
	};
	const truncate = async (names: readonly string[]): Promise<void> => {
		if (names.length > 0) await sql.unsafe(`truncate ${names.map((name) => `"${name}"`).join()}`);
	};
	return {
		sql,
		empty: async () => {
			await truncate(closure(pointers, await filled()));
		},
		snapshot: async () => {
			const names = await filled();
			for (const name of names)
				await sql.unsafe(
					`drop table if exists ${KEPT_SCHEMA}."${name}";
					create unlogged table ${KEPT_SCHEMA}."${name}" as table "${name}"`
				);
			return async () => {
				await truncate(closure(pointers, await filled()));
				await sql.unsafe(
					`set session_replication_role = replica;
					${names.map((name) => `insert into "${name}" table ${KEPT_SCHEMA}."${name}";`).join('\n')}
					set session_replication_role = origin`
				);
			};
		},
		forgetPlans: async () => {
			await sql.unsafe('discard plans');
		},
		close: () => sql.end({ timeout: 5 })
	};
}

interface Pointer {
	readonly from: string;
	readonly to: string;
}

async function readPointers(sql: Sql): Promise<readonly Pointer[]> {
	return sql<Pointer[]>`
		select distinct conrelid::regclass::text as from, confrelid::regclass::text as to
		from pg_constraint where contype = 'f'`;
}

/** With the tables that point to them, which PostgreSQL empties together or not at all. */
function closure(pointers: readonly Pointer[], names: readonly string[]): readonly string[] {
	const all = new Set(names);
	for (let before = -1; before !== all.size;) {
		before = all.size;
		for (const { from, to } of pointers) if (all.has(to)) all.add(from);
	}
	return [...all];
}

/** How a statement or a transaction of a relay may end otherwise than well. */
export type Fate =
	| 'well'
	/** The connection breaks before the statement runs; nothing of the transaction stays. */
	| 'lostBefore'
	/** It breaks after a COMMIT: all of it stays, and who committed does not know. */
	| 'lostAfter'
	/** The process dies at this point. */
	| 'killBefore'
	| 'killAfter';

export interface HandleParts {
	readonly server: SimServer;
	readonly time: SimTime;
	readonly chance: Chance;
	readonly trace: Trace;
	/** What becomes of the next statement, or of the COMMIT of a transaction. */
	readonly fate: (what: 'statement' | 'commit') => Fate;
	/** Ends the process whose handle this is. */
	readonly kill: () => void;
	/** Facts that a COMMIT made durable. */
	readonly committed: (facts: readonly CommittedFact[]) => void;
	readonly canary: Canary;
}

/** A fact by its scope and id. */
export interface CommittedFact {
	readonly scope: string;
	readonly id: string;
}

/** A relay's way to the database, which ends with the relay. */
export interface SimHandle extends Database {
	/** What is under way never answers, and an open transaction is rolled back. */
	readonly die: () => void;
}

/** Whoever stands in line for the connection. Handles of one server share it. */
export interface Line {
	/** Resolves when the connection is his alone; he gives it back by calling the answer. */
	readonly enter: () => Promise<() => void>;
}

export function createLine(): Line {
	const waiting: (() => void)[] = [];
	let isHeld = false;
	const leave = (): void => {
		isHeld = false;
		const next = waiting.shift();
		if (next !== undefined) {
			isHeld = true;
			next();
		}
	};
	return {
		enter: () =>
			new Promise((resolve) => {
				const take = (): void => {
					resolve(leave);
				};
				if (isHeld) waiting.push(take);
				else {
					isHeld = true;
					take();
				}
			})
	};
}

interface TransactionState {
	/** Why it cannot be committed any more. */
	broken: unknown;
	isBegun: boolean;
	isLost: boolean;
	/** Whether it wrote facts. */
	isFactual: boolean;
	/** Whether a canary has committed its first part. */
	isCut: boolean;
}

interface Query extends Promise<unknown> {
	handler: (query: Query) => unknown;
	resolve: (value: unknown) => void;
	reject: (fault: unknown) => void;
	strings: readonly string[];
}

/** An error as the driver gives it where the connection broke. */
function gone(): Error {
	return Object.assign(new Error('the simulated connection broke'), { code: 'CONNECTION_CLOSED' });
}

/** The same template with other words, which the driver still knows for a template. */
function rewritten(strings: readonly string[], rewrite: (text: string) => string): string[] {
	const words = strings.map(rewrite);
	return Object.assign(words, { raw: words });
}

const STATEMENT_MS_MAX = 2;
const INSERTS_FACT = /insert into "?fact"?[\s(]/;

/**
 * The same SQL on the same PostgreSQL, one statement at a time, each at a moment of the simulated
 * time: between any two of them something else may happen, or the relay be killed.
 */
export function createHandle(parts: HandleParts, line: Line): SimHandle {
	const { server, time, chance, trace, canary } = parts;
	const real = server.sql;
	let isDead = false;
	let openLeave: (() => void) | undefined;

	const never = (): Promise<never> => new Promise(() => undefined);

	/** One statement, at its moment. Never resolves in a dead process. */
	function at(run: () => Promise<unknown>): Promise<void> {
		return new Promise((resolve) => {
			time.after(chance.below(STATEMENT_MS_MAX + 1), () => {
				if (isDead) return;
				const done = run();
				time.awaits(done);
				done.then(
					() => {
						resolve();
					},
					() => {
						resolve();
					}
				);
			});
		});
	}

	function send(query: Query, handler: Query['handler']): Promise<void> {
		trace.note('sql', time.now(), query.strings.join('?').replace(/\s+/g, ' ').trim().slice(0, 60));
		return new Promise((resolve) => {
			const { resolve: well, reject: ill } = query;
			query.resolve = (value) => {
				well(value);
				resolve();
			};
			query.reject = (fault) => {
				ill(fault);
				resolve();
			};
			handler(query);
		});
	}

	/** Puts a query under our hand: it goes out when `turn` lets it. */
	function steer<Q>(query: Q, turn: (run: () => Promise<void>, query: Query) => void): Q {
		const steered = query as Query;
		const { handler } = steered;
		if (typeof handler !== 'function') return query;
		const { statement } = canary;
		if (statement !== undefined) steered.strings = rewritten(steered.strings, statement);
		steered.handler = (asked) => {
			if (!isDead) turn(() => send(asked, handler), asked);
		};
		return query;
	}

	type Turn = Parameters<typeof steer>[1];

	function speak(turn: Turn): Sql {
		const ask = (...args: Parameters<Sql>): unknown => steer(real(...args), turn);
		return Object.assign(ask, {
			unsafe: (...args: Parameters<Sql['unsafe']>) => steer(real.unsafe(...args), turn),
			typed: real.typed,
			types: real.types,
			options: real.options,
			parameters: real.parameters
		}) as unknown as Sql;
	}

	const alone: Turn = (run, query) => {
		void line.enter().then(async (leave) => {
			if (isDead) {
				leave();
				return;
			}
			openLeave = leave;
			const fate = parts.fate('statement');
			if (fate === 'lostBefore') query.reject(gone());
			else await at(run);
			openLeave = undefined;
			leave();
		});
	};

	async function plain(statement: string): Promise<void> {
		trace.note('sql', time.now(), statement);
		await real.unsafe(statement);
	}

	/** The facts that the open transaction wrote. */
	async function written(): Promise<readonly CommittedFact[]> {
		return real<CommittedFact[]>`
			select business as scope, code || '-' || n as id from fact
			where xmin::text = pg_current_xact_id()::xid::text order by business, s`;
	}

	async function begin(first: unknown, second?: unknown): Promise<unknown> {
		const act = (second ?? first) as (tx: Sql) => unknown;
		const leave = await line.enter();
		if (isDead) {
			leave();
			return never();
		}
		const rollback = async (): Promise<void> => {
			if (!state.isBegun) return;
			if (canary.transaction?.keepsFeedNumbers !== true) {
				await plain('rollback');
				return;
			}
			const heads = await real.unsafe('select business, s from feed_head').catch(() => []);
			await plain('rollback');
			for (const { business, s } of heads as unknown as readonly { business: string; s: string }[])
				await real`update feed_head set s = ${s} where business = ${business} and s < ${s}`;
		};
		openLeave = (): void => {
			time.awaits(rollback().finally(leave));
		};
		let last: Promise<unknown> = Promise.resolve();
		const state: TransactionState = {
			broken: undefined,
			isBegun: false,
			isLost: false,
			isFactual: false,
			isCut: false
		};
		const inside: Turn = (run, query) => {
			query.catch((fault: unknown) => {
				state.broken ??= fault;
			});
			state.isFactual ||= INSERTS_FACT.test(query.strings.join(''));
			last = last.then(async () => {
				if (state.isLost || parts.fate('statement') === 'lostBefore') {
					state.isLost = true;
					query.reject(gone());
				} else if (state.isBegun) {
					const { commitsBefore } = canary.transaction ?? {};
					if (commitsBefore?.test(query.strings.join('')) === true && !state.isCut) {
						state.isCut = true;
						await at(() => plain('commit'));
						parts.committed([]);
						await at(() => plain('begin'));
					}
					await at(run);
				} else {
					state.isBegun = true;
					await at(() => Promise.all([plain('begin'), run()]));
				}
			});
		};
		const tx = speak(inside);
		Object.assign(tx, { savepoint: createSavepoint(tx, state) });
		let outcome: { readonly ok: true; readonly value: unknown } | { readonly ok: false };
		try {
			const done = act(tx);
			const value: unknown = await (Array.isArray(done) ? Promise.all(done) : done);
			outcome = state.broken === undefined ? { ok: true, value } : { ok: false };
		} catch (fault) {
			state.broken ??= fault;
			outcome = { ok: false };
		}
		await last;
		const end = (): void => {
			openLeave = undefined;
			leave();
		};
		if (!outcome.ok) {
			await at(rollback);
			end();
			throw state.broken;
		}
		if (canary.transaction?.answersBeforeCommit === true) {
			commit().then(end, () => undefined);
			return outcome.value;
		}
		await commit();
		end();
		return outcome.value;

		async function commit(): Promise<void> {
			const fate = parts.fate('commit');
			if (fate === 'killBefore') {
				parts.kill();
				return never();
			}
			if (fate === 'lostBefore') {
				await at(rollback);
				end();
				throw gone();
			}
			let facts: readonly CommittedFact[] = [];
			await at(async () => {
				[facts] = await Promise.all([
					state.isFactual ? written() : [],
					state.isBegun ? plain('commit') : undefined
				]);
				parts.committed(facts);
			});
			openLeave = leave;
			if (fate === 'killAfter') {
				parts.kill();
				return never();
			}
			if (fate === 'lostAfter') {
				end();
				throw gone();
			}
			// The answer is on its way for a moment, too: the process may die in it.
			await new Promise<void>((resolve) => {
				time.after(chance.below(STATEMENT_MS_MAX + 1), () => {
					if (!isDead) resolve();
				});
			});
		}
	}

	function createSavepoint(
		tx: Sql,
		state: { broken: unknown }
	): (act: (inner: Sql) => unknown) => Promise<unknown> {
		let count = 0;
		return async (act) => {
			const name = `s${String((count += 1))}`;
			await tx.unsafe(`savepoint ${name}`);
			try {
				return await act(tx);
			} catch (fault) {
				await tx.unsafe(`rollback to ${name}`);
				state.broken = undefined;
				throw fault;
			}
		};
	}

	const sql = Object.assign(speak(alone), { begin });
	return {
		sql,
		orm: drizzle(sql),
		close: () => Promise.resolve(),
		die: () => {
			isDead = true;
			openLeave?.();
			openLeave = undefined;
		}
	};
}
