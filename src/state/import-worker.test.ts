import { afterEach, expect, it, vi } from 'vitest';
import type { ImportQuestion } from './import-worker.ts';

afterEach(() => {
	vi.unstubAllGlobals();
});

it('[IMPORT-9] tells the page of a fault, which would wait for an answer for good', async () => {
	let ask: ((event: { readonly data: ImportQuestion }) => void) | undefined;
	vi.stubGlobal('addEventListener', (_name: string, heard: typeof ask) => (ask = heard));
	vi.stubGlobal('postMessage', vi.fn());
	const told = new Promise((resolve) => {
		vi.stubGlobal('reportError', resolve);
	});
	await import('./import-worker.ts');
	const file = new File(['name,price'], 'list.csv');
	file.arrayBuffer = () => Promise.reject(new RangeError('no room'));
	ask?.({ data: { kind: 'read', file } });
	expect(await told).toEqual(new RangeError('no room'));
});
