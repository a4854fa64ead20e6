import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { callerAddress, createCallerAddress } from './caller-address.ts';

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

it('[AUTH-14] one network of IPv6 is one caller, whoever asks for the address', async () => {
	const addressOf = createCallerAddress(1);
	const app = new Hono().get('/', (c) => c.text(addressOf(c)));
	const socket = { remoteAddress: '203.0.113.1', remotePort: 1, remoteFamily: 'IPv4' };
	const heard = async (address: string): Promise<string> => {
		const headers = { 'x-forwarded-for': address };
		return (await app.request('/', { headers }, { incoming: { socket } })).text();
	};
	expect(await heard('2001:db8:1:2::9')).toBe(await heard('2001:db8:1:2:f::'));
	expect(await heard('2001:db8:1:3::9')).not.toBe(await heard('2001:db8:1:2:f::'));
});
