import { expect, it } from 'vitest';
import { callerAddress } from './caller-address.ts';

const CASES: readonly (readonly [string, number, string, string])[] = [
	['no proxy, and a word of its own', 0, '6.6.6.6', '203.0.113.1'],
	['one proxy', 1, '198.51.100.7', '198.51.100.7'],
	['one proxy, and a word of its own', 1, '6.6.6.6, 198.51.100.7', '198.51.100.7'],
	['two proxies', 2, '6.6.6.6, 198.51.100.7, 10.0.0.1', '198.51.100.7'],
	['two proxies, one gone round', 2, '10.0.0.1', '10.0.0.1'],
	['a proxy that says nothing', 1, ' , ', '203.0.113.1']
];

for (const [what, proxies, forwarded, address] of CASES)
	it(`[API-30] ${what}`, () => {
		expect(callerAddress('203.0.113.1', forwarded, proxies)).toBe(address);
	});
