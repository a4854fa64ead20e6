import { expect, it } from 'vitest';
import { isOfHost } from './own-host.ts';

it.each([
	['https://shop.example', 'shop.example', true],
	['https://shop.example', 'Shop.Example', true],
	['https://shop.example', 'shop.example:443', true],
	['http://shop.example', 'shop.example:80', true],
	['http://localhost:3000', 'localhost:3000', true],
	['https://shop.example', 'shop.example:80', false],
	['http://localhost:3001', 'localhost:3000', false],
	['https://evil.example', 'shop.example', false],
	['https://shop.example.evil.example', 'shop.example', false],
	['null', 'shop.example', false],
	['', '', false],
	['file:///etc', '', false],
	['https://shop.example', '', false],
	['https://shop.example', undefined, false]
])('[RELAY-18] a page of %s is one of the host %s: %s', (origin, host, is) => {
	expect(isOfHost(origin, host)).toBe(is);
});
