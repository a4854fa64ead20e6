import { extent, ticks } from 'd3-array';
import { area, curveStepAfter, line } from 'd3-shape';

/** The sheet that a chart is drawn on, in units of its own; before `start` stand the values. */
export const CHART = { width: 320, height: 150, start: 34, foot: 124, head: 14 } as const;

const TICKS = 3;

/** Heights on the sheet for values of any size: zero is always among them. */
export interface Scale {
	/** Where a value stands, from the top. */
	readonly y: (value: number) => number;
	/** Round values for hairlines. */
	readonly ticks: readonly number[];
}

export function scaleOf(values: readonly number[]): Scale {
	const [least = 0, most = 0] = extent([0, ...values]);
	const room = most === least ? 1 : most - least;
	const drawn = CHART.foot - CHART.head;
	return {
		y: (value) => CHART.foot - ((value - least) / room) * drawn,
		ticks: ticks(least, most, TICKS).filter((tick) => tick !== 0)
	};
}

/** Where the middle of a month stands, from the start, and how wide it is. */
export function columnsOf(count: number): {
	readonly width: number;
	readonly x: (place: number) => number;
} {
	const width = (CHART.width - CHART.start) / Math.max(count, 1);
	return { width, x: (place) => CHART.start + place * width + width / 2 };
}

/** A balance over time: it stands from the end of a month until the next one moves it. */
export function balancePaths(
	values: readonly number[],
	scale: Scale
): { readonly line: string; readonly area: string } {
	const { width } = columnsOf(values.length);
	// The last month is drawn as wide as the others.
	const points = [...values, values.at(-1) ?? 0];
	const x = (_value: number, place: number): number => CHART.start + place * width;
	const drawLine = line<number>().x(x).y(scale.y).curve(curveStepAfter);
	const drawArea = area<number>().x(x).y0(scale.y(0)).y1(scale.y).curve(curveStepAfter);
	return { line: drawLine(points) ?? '', area: drawArea(points) ?? '' };
}

/** Minor units as a number to draw; what is drawn is never counted with. */
export function drawable(minor: bigint): number {
	return Number(minor);
}
