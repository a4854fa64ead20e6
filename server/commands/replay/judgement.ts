import type { LineCounts } from './lines.ts';
import { differences, type Figures, type ShopRows } from './shop-rows.ts';
import type { Totals } from './totals.ts';
import type { Act } from './trade-rules.ts';

/** What everybody says at the end. */
export interface Testimony {
	/** By a plain sum over the file. */
	readonly totals: Totals;
	readonly acts: readonly Act[];
	/** By the domain's fold of the facts that the devices wrote. */
	readonly facts: ShopRows;
	readonly factLines: LineCounts;
	/** By the tables of each device; the last one joined at the end. */
	readonly devices: readonly ShopRows[];
	/** By the tables of PostgreSQL. */
	readonly database: ShopRows;
	/** Null where only a checkpoint can be read. */
	readonly databaseLines: LineCounts | null;
}

export interface Judgement {
	readonly devicesAgree: boolean;
	readonly databaseAgrees: boolean;
	/** What does not agree, a sentence each. */
	readonly complaints: readonly string[];
}

const DIFFERENCES_SHOWN = 5;

/** Whether all say the same, and what the file says. */
export function judge(testimony: Testimony): Judgement {
	const { facts, devices, database, databaseLines, factLines } = testimony;
	const ofFile = expectedFigures(testimony);
	const ofDevices = [
		...compareFigures('the facts', facts.figures, ofFile),
		...compareLines('the facts', factLines, testimony.totals),
		...devices.flatMap((rows, place) => {
			const who = place === devices.length - 1 ? 'the last device' : `device ${String(place + 1)}`;
			return [...compareFigures(who, rows.figures, ofFile), ...compareRows(who, rows, facts)];
		})
	];
	const ofDatabase = [
		...compareFigures('the database', database.figures, ofFile),
		...(databaseLines === null
			? []
			: compareLines('the database', databaseLines, testimony.totals)),
		...compareRows('the database', database, facts)
	];
	return {
		devicesAgree: ofDevices.length === 0,
		databaseAgrees: ofDatabase.length === 0,
		complaints: [...ofDevices, ...ofDatabase]
	};
}

/** An invoice that was cut is as many receipts as acts; of nothing on account there is no record. */
function expectedFigures({ totals, acts }: Testimony): Figures {
	const count = (kind: Act['kind']): bigint =>
		BigInt(acts.filter((act) => act.kind === kind).length);
	const onAccount = acts.filter(
		({ kind, customer, lines }) =>
			kind !== 'adjust' && customer !== null && lines.some(({ totalMinor }) => totalMinor > 0)
	);
	return {
		products: totals.products,
		customers: totals.customers,
		records: onAccount.length,
		salesCount: count('sale'),
		salesMinor: totals.salesMinor,
		returnsCount: count('return'),
		returnsMinor: totals.returnsMinor,
		accountMinor: totals.balanceMinor,
		balanceMinor: totals.balanceMinor,
		stockThousandths: totals.stockUnits * 1_000n
	};
}

function compareFigures(who: string, said: Figures, expected: Figures): readonly string[] {
	return (Object.keys(expected) as (keyof Figures)[])
		.filter((name) => said[name] !== expected[name])
		.map((name) => complain(who, name, [said[name], expected[name]]));
}

function compareLines(who: string, said: LineCounts, expected: LineCounts): readonly string[] {
	return (['saleLines', 'returnLines', 'adjustments'] as const)
		.filter((name) => said[name] !== expected[name])
		.map((name) => complain(who, name, [said[name], expected[name]]));
}

function complain(
	who: string,
	name: string,
	[said, expected]: readonly [number | bigint, number | bigint]
): string {
	return `${name}: ${who} says ${String(said)}, the file ${String(expected)}`;
}

function compareRows(who: string, said: ShopRows, facts: ShopRows): readonly string[] {
	return differences(said, facts, DIFFERENCES_SHOWN).map(
		(difference) => `${who} and the facts differ in ${difference}`
	);
}
