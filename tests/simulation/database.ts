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

/** Plans once for whatever is asked with it, and never by how often it was asked before. */
const PLANNING = { plan_cache_mode: 'force_generic_plan', jit: false };

export async function connectServer(url: string): Promise<SimServer> {
	const sql = postgres(url, {
		max: 1,
		max_lifetime: null,
		idle_timeout: 0,
		onnotice: () => undefined,
		host: decodeURIComponent(new URL(url).hostname),
		connection: PLANNING
	});
	drizzle(sql);
	const rooms = await openRooms(sql);
	return {
		sql,
		empty: async () => {
			// The last seed may have ended in the middle of a transaction.
			await sql.unsafe('rollback');
			await rooms.empty(await rooms.filled('public'));
			await sql.unsafe('discard plans');
		},
		snapshot: async () => {
			await rooms.empty(await rooms.filled(KEPT_SCHEMA));
			const names = await rooms.filled('public');
			await sql.unsafe(names.map((name) => `insert into ${kept(name)} table ${name}`).join(';'));
			return async () => {
				await rooms.empty(await rooms.filled('public'));
				await sql.unsafe(
					unchecked(names.map((name) => `insert into ${name} table ${kept(name)}`).join(';'))
				);
			};
		},
		forgetPlans: async () => {
			await sql.unsafe('discard plans');
		},
		close: () => sql.end({ timeout: 5 })
	};
}

/** The tables of a database, and beside each another of the same form. */
interface Rooms {
	/** Those of a schema with anything in them, or that had. */
	readonly filled: (schema: string) => Promise<readonly string[]>;
	/** Leaves them as if nothing had ever been in them. */
	readonly empty: (names: readonly string[]) => Promise<void>;
}

async function openRooms(sql: Sql): Promise<Rooms> {
	const tables = (
		await sql<{ name: string }[]>`
			select quote_ident(table_name) as name from information_schema.tables
			where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`
	).map(({ name }) => name);
	await sql.unsafe(`truncate ${tables.join()}`);
	await sql`create schema if not exists ${sql(KEPT_SCHEMA)}`;
	await sql.unsafe(
		tables
			.map((name) => `create unlogged table if not exists ${kept(name)} (like ${name})`)
			.join(';')
	);
	return {
		filled: async (schema) => {
			const rows = await sql<{ name: string }[]>`
				select oid::regclass::text as name from pg_class
				where relnamespace = ${schema}::regnamespace and relkind = 'r'
					and pg_relation_size(oid) > 0
				order by relname`;
			return rows.map(({ name }) => name);
		},
		empty: (names) => emptyTables(sql, names)
	};
}

function kept(name: string): string {
	return `${KEPT_SCHEMA}.${name}`;
}

/** Foreign keys are not looked at: what is copied whole, or removed whole, breaks none. */
function unchecked(statements: string): string {
	return `set session_replication_role = replica; ${statements}; set session_replication_role = origin`;
}

/**
 * Cheaper by far than TRUNCATE, which makes some hundred files anew. Nothing tells the planner that
 * they were ever filled, and so no plan depends on what ran before.
 */
async function emptyTables(sql: Sql, names: readonly string[]): Promise<void> {
	if (names.length === 0) return;
	await sql.unsafe(unchecked(names.map((name) => `delete from ${name}`).join(';')));
	await sql.unsafe(
		`vacuum (index_cleanup on, truncate on, parallel 0, skip_database_stats) ${names.join()}`
	);
	const grown = await sql<{ name: string }[]>`
		select indexrelid::regclass::text as name from pg_index
		where indrelid in (select unnest(${names}::text[])::regclass)
			and pg_relation_size(indexrelid) > ${PAGE} * case when indpred is null then 2 else 1 end`;
	for (const { name } of grown) await sql.unsafe(`reindex index ${name}`);
	await sql`
		update pg_class set relpages = 0, reltuples = -1, relallvisible = 0, relallfrozen = 0
		where (relpages <> 0 or reltuples <> -1 or relallvisible <> 0 or relallfrozen <> 0)
			and (oid in (select unnest(${names}::text[])::regclass) or oid in (
				select indexrelid from pg_index
				where indrelid in (select unnest(${names}::text[])::regclass)))`;
}

/** Of which an index has two that was ever used, and one more where it grew. */
const PAGE = 8_192;

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
			// Drizzle would have each statement planned anew, and ask twice for each.
			unsafe: (...[text, values, options]: Parameters<Sql['unsafe']>) =>
				steer(real.unsafe(text, values, { ...options, prepare: true }), turn),
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
