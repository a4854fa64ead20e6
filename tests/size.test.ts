import { expect, it } from 'vitest';
import { measureApp } from './size.ts';

const KB = 1_000;

it('[SIZE-1] keeps the first load, its style and every route within what a phone waits for', () => {
	const { firstLoad, css, largestRoute } = measureApp();
	expect(firstLoad).toBeLessThanOrEqual(130 * KB);
	expect(css).toBeLessThanOrEqual(15 * KB);
	expect(largestRoute).toBeLessThanOrEqual(30 * KB);
});

it('[SIZE-2] keeps what is fetched in advance small, in few files', () => {
	const { precacheBytes, precacheFiles } = measureApp();
	expect(precacheBytes).toBeLessThanOrEqual(500 * KB);
	expect(precacheFiles).toBeLessThanOrEqual(45);
});
