import { describe, expect, it } from 'vitest';
import { balancePaths, CHART, columnsOf, drawable, scaleOf } from './chart-geometry.ts';

describe('a chart', () => {
	it('stands on zero, and its highest value reaches the head', () => {
		const scale = scaleOf([200, 400]);
		expect([scale.y(0), scale.y(400)]).toEqual([CHART.foot, CHART.head]);
		expect(scale.ticks.every((tick) => tick > 0 && tick <= 400)).toBe(true);
	});

	it('has room below zero for what was paid in advance', () => {
		const scale = scaleOf([-100, 300]);
		expect(scale.y(-100)).toBe(CHART.foot);
		expect(scale.y(0)).toBeLessThan(CHART.foot);
		expect(scale.y(0)).toBeGreaterThan(CHART.head);
	});

	it('is flat where nothing was ever owed, and never divides by zero', () => {
		const scale = scaleOf([0, 0]);
		expect(scale.y(0)).toBe(CHART.foot);
		expect(balancePaths([0, 0], scale).line).not.toMatch(/NaN/);
		expect(columnsOf(0).width).toBe(CHART.width - CHART.start);
	});

	it('draws each month from its own start to the next one', () => {
		const { line, area } = balancePaths([100, 200], scaleOf([100, 200]));
		expect(line).toBe('M34,69L177,69L177,14L320,14L320,14');
		expect(area.startsWith('M34,69')).toBe(true);
	});

	it('draws sums that no whole number of a computer holds', () => {
		expect(Number.isFinite(drawable(10n ** 20n))).toBe(true);
	});
});
