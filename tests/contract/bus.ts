import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseBusinessId } from '#domain/ids.ts';
import type { Bus, BusEvent, BusNews, TellBusEvent } from '#server/bus/bus.ts';
import { until } from '#tests/support/relay-stand.ts';

export interface BusUnderTest {
	/** One more relay's end. */
	join(told: TellBusEvent): Bus;
	/** Says something over the same carrier that no relay says; absent where nobody else can. */
	readonly intrude?: (message: string) => Promise<void>;
	/** Breaks every line until it is mended; absent where there is none. */
	readonly line?: { cut(): Promise<void>; mend(): Promise<void> };
	/** An end whose line may fall silent, and that gives it up soon; absent where there is none. */
	readonly silent?: { readonly join: (told: TellBusEvent) => Bus; readonly mute: () => void };
	close(): Promise<void>;
}

interface End {
	readonly bus: Bus;
	readonly heard: BusNews[];
	readonly events: BusEvent['kind'][];
}

const scope = newScope();

/** What every bus keeps to. */
export function busContract(name: string, make: () => Promise<BusUnderTest>): void {
	describe(`${name} as a bus`, () => {
		let under: BusUnderTest;
		const open: Bus[] = [];
		beforeAll(async () => {
			under = await make();
		});
		afterEach(async () => {
			for (const bus of open.splice(0)) await bus.close();
		});
		afterAll(() => under.close());

		function join(make = under.join.bind(under)): End {
			const events: BusEvent['kind'][] = [];
			const heard: BusNews[] = [];
			const bus = make(({ kind }) => events.push(kind));
			bus.subscribe((news) => heard.push(news));
			open.push(bus);
			return { bus, heard, events };
		}

		it('[BUS-1] tells every other end, itself not, and nobody who stopped listening', async () => {
			const [a, b, c] = [join(), join(), join()];
			await allHear([a, b, c]);
			const stopped: BusNews[] = [];
			a.bus.subscribe((news) => stopped.push(news))();

			const news = { scope: newScope(), document: 'j/1', s: 7 };
			b.bus.publish(news);
			await until(() => [a, c].every(({ heard }) => heard.some(isOf(news.scope))));
			for (const { heard } of [a, c]) expect(heard.filter(isOf(news.scope))).toEqual([news]);
			expect(b.heard.filter(isOf(news.scope))).toEqual([]);
			expect(stopped).toEqual([]);

			await c.bus.close();
			b.bus.publish({ ...news, s: 8 });
			c.bus.publish({ ...news, s: 9 });
			await until(() => a.heard.filter(isOf(news.scope)).length === 2);
			expect(a.heard.at(-1)?.s).toBe(8);
			expect(c.heard.filter(isOf(news.scope))).toHaveLength(1);
		});

		it('[BUS-2] makes one of much that is said of the same thing', async () => {
			const [a, b] = [join(), join()];
			await allHear([a, b]);
			for (let s = 1; s <= 2_000; s += 1) a.bus.publish({ scope, document: 'j/2', s });
			a.bus.publish({ scope, document: 'j/2', s: 3 });
			await until(() => b.heard.some(({ s }) => s === 2_000));
			const told = b.heard.filter(({ document }) => document === 'j/2');
			expect(told.length).toBeLessThan(20);
		});

		it('[BUS-3] tells of all that moved, however much it is', async () => {
			const [a, b] = [join(), join()];
			await allHear([a, b]);
			const documents = Array.from({ length: 3_000 }, (_, at) => `j/${randomUUID()}/${String(at)}`);
			for (const document of documents) a.bus.publish({ scope, document, s: 1 });
			a.bus.publish({ scope, document: null, s: 5 });
			await until(() => b.heard.some(({ document, s }) => document === null && s === 5));
			const told = new Set(b.heard.map(({ document }) => document));
			expect(documents.filter((document) => !told.has(document))).toEqual([]);
		});

		it('[BUS-4] goes on after its line was cut, and says so once', async () => {
			const [a, b] = [join(), join()];
			await allHear([a, b]);
			if (under.line === undefined) {
				expect([a.events, b.events]).toEqual([[], []]);
				return;
			}
			await under.line.cut();
			await until(() => [a, b].every(({ events }) => events.length === 1));
			// Nobody is held up meanwhile, and nothing is thrown.
			for (let s = 1; s <= 100; s += 1) a.bus.publish({ scope, document: 'lost', s });
			await under.line.mend();
			await until(() => [a, b].every(({ events }) => events.length === 2));
			expect([a.events, b.events]).toEqual([
				['down', 'up'],
				['down', 'up']
			]);
			await allHear([a, b]);
		});

		it('[BUS-7] gives up a line that says nothing any more, and goes on over the next', async () => {
			const { silent } = under;
			if (silent === undefined) {
				expect(under.line).toBeUndefined();
				return;
			}
			const [a, b, c] = [join(silent.join), join(silent.join), join()];
			await allHear([a, b, c]);
			silent.mute();
			// One speaks on, the other only listens.
			let s = 0;
			const speaking = setInterval(() => {
				a.bus.publish({ scope, document: 'unanswered', s: (s += 1) });
			}, 20);
			await until(() => [a, b].every(({ events }) => events.length === 2));
			clearInterval(speaking);
			expect([a, b, c].map(({ events }) => events)).toEqual([['down', 'up'], ['down', 'up'], []]);
			await allHear([a, b, c]);
		});

		it('[BUS-5] passes over what is not ours', async () => {
			const [a, b] = [join(), join()];
			await allHear([a, b]);
			const before = b.heard.length;
			const row = [newScope(), null, 1];
			const foreign = ['', 'x', '{}', '[]', '["a"]', '["a",7]', '["a",[[1,2,3]]]'];
			const bent = [['x', null, 1], [scope, 7, 1], [scope, null, -1], [scope, null, 1.5], null];
			for (const message of foreign) await under.intrude?.(message);
			await under.intrude?.(JSON.stringify(['other', [...bent, row]]));
			a.bus.publish({ scope, document: 'end', s: 1 });
			await until(() => b.heard.some(({ document }) => document === 'end'));
			const [first] = b.heard.slice(before).filter(({ document }) => document !== 'end');
			expect(first).toEqual(
				under.intrude === undefined ? undefined : { scope: row[0], document: null, s: 1 }
			);
		});
	});
}

function newScope(): BusNews['scope'] {
	const parsed = parseBusinessId(randomUUID());
	if (!parsed.ok) throw new Error('no id');
	return parsed.value;
}

function isOf(of: BusNews['scope']): (news: BusNews) => boolean {
	return (news) => news.scope === of;
}

/** Speaks until every end has heard every other: a line is up some time after it was asked for. */
async function allHear(ends: readonly End[]): Promise<void> {
	for (const end of ends) {
		const hello = { scope: newScope(), document: 'hello', s: 0 };
		await until(() => {
			end.bus.publish(hello);
			return ends.every((other) => other === end || other.heard.some(isOf(hello.scope)));
		});
		// What was said too often comes in before the test goes on.
		const last = { ...hello, scope: newScope() };
		end.bus.publish(last);
		await until(() => ends.every((other) => other === end || other.heard.some(isOf(last.scope))));
	}
}
