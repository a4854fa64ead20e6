import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import { addressGroup } from './auth/limits.ts';

/**
 * Whose request it is, as far as it can be believed. Each of the operator's `proxies` writes whom
 * it heard at the end of `X-Forwarded-For`; what stands before that anybody may have written. AUTH-14. As a
 * group: whoever has one address of a network of IPv6 has them all.
 */
export function createCallerAddress(proxies: number): (c: Context) => string {
	return (c) =>
		addressGroup(
			callerAddress(
				getConnInfo(c).remote.address ?? '',
				c.req.header('x-forwarded-for') ?? '',
				proxies
			)
		);
}

export function callerAddress(heard: string, forwarded: string, proxies: number): string {
	if (proxies === 0) return heard;
	const said = forwarded
		.split(',')
		.map((one) => one.trim())
		.filter((one) => one !== '');
	// A request that went round the proxies is its sender's.
	return said.at(-proxies) ?? said[0] ?? heard;
}
