import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie } from 'hono/cookie';
import { isOfHost } from '#server/auth/own-host.ts';
import { SESSION_COOKIE } from '#server/auth/sessions.ts';
import { problem, refusal } from './problem.ts';

/** Requests that change something come from our own pages, or from a program with no cookie. */
export const ownOriginOnly: MiddlewareHandler = async (c, next) => {
	if (c.req.method !== 'GET' && c.req.method !== 'HEAD' && isForeign(c)) {
		return problem(c, refusal('foreignOrigin'));
	}
	return next();
};

/** A body is JSON, and says so: a foreign form cannot. */
export const jsonOnly: MiddlewareHandler = async (c, next) => {
	if (c.req.method === 'POST') {
		const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
		if (type !== 'application/json') return problem(c, refusal('notJson'));
	}
	return next();
};

/** Of a body that does not say how long it is, which is read whole before anybody asks who sends it. */
export const UNMEASURED_BYTES_MAX = 64 * 1024;

/** Stops reading a body that is longer, or is long and does not say so before. */
export function bodyBytesAtMost(maxSize: number): MiddlewareHandler {
	const onError = (c: Context): Response => problem(c, refusal('bodyTooLarge'));
	const measured = bodyLimit({ maxSize, onError });
	const unmeasured = bodyLimit({ maxSize: Math.min(maxSize, UNMEASURED_BYTES_MAX), onError });
	return (c, next) =>
		c.req.header('transfer-encoding') === undefined && c.req.header('content-length') !== undefined
			? measured(c, next)
			: unmeasured(c, next);
}

/**
 * API-56. To be put before whatever asks who calls: who sends his body later is asked by then, and not as he
 * was when he began. It is kept for whoever reads it.
 */
export const bodyWhole: MiddlewareHandler = async (c, next) => {
	if (c.req.method === 'POST') await c.req.arrayBuffer();
	return next();
};

function isForeign(c: Context): boolean {
	const site = c.req.header('sec-fetch-site');
	const origin = c.req.header('origin');
	if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
	if (origin !== undefined) {
		return !isOfHost(origin, c.req.header('host') ?? new URL(c.req.url).host);
	}
	// Every browser of ours sends one of the two with a change; without either no cookie counts.
	return site === undefined && getCookie(c, SESSION_COOKIE) !== undefined;
}
