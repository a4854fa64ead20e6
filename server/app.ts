import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Logger } from 'pino';
import type { ProblemCode } from '#domain/problem-code.ts';
import { isDatabaseGone } from './database/connect.ts';
import type { Site } from './site.ts';

/** What one server is made of. A part that is absent answers 404. */
export interface AppParts {
	/** Everything under `/api`. */
	readonly api: Hono;
	/** Everything under `/sync`: documents over a WebSocket. */
	readonly sync?: Hono;
	/** The built app, for every other address. */
	readonly site?: Site;
	/** Outside production: what the practice providers were given. */
	readonly outbox?: Hono;
	readonly log: Logger;
}

const NO_PAGES = "default-src 'none'; frame-ancestors 'none'";

/** Puts the parts together; nothing listens yet. */
export function createApp({ api, sync, site, outbox, log }: AppParts): Hono {
	const app = new Hono();
	app.use(logged(log), secured(site?.contentSecurityPolicy ?? NO_PAGES));
	app.use('/api/*', neverKept);
	app.route('/api', api);
	app.all('/api/*', (c) => c.notFound());
	if (sync !== undefined) app.route('/sync', sync);
	app.all('/sync/*', (c) => c.notFound());
	if (outbox !== undefined) app.route('/outbox', outbox);
	if (site !== undefined) app.route('/', site.routes);
	app.notFound((c) => problem(c, 404, 'notFound'));
	app.onError((fault, c) => answerFault(fault, { c, log }));
	return app;
}

/** One line for each request, by its path: a query may hold a ticket. */
function logged(log: Logger): MiddlewareHandler {
	return async (c, next) => {
		const startedAt = performance.now();
		await next();
		const took = Math.round(performance.now() - startedAt);
		log.info({ method: c.req.method, path: c.req.path, status: c.res.status, ms: took }, 'request');
	};
}

function secured(policy: string): MiddlewareHandler {
	return async (c, next) => {
		await next();
		c.header('Content-Security-Policy', policy);
		c.header('X-Content-Type-Options', 'nosniff');
		c.header('Referrer-Policy', 'same-origin');
		c.header('Cross-Origin-Opener-Policy', 'same-origin');
	};
}

const neverKept: MiddlewareHandler = async (c, next) => {
	await next();
	c.header('Cache-Control', 'no-store');
};

interface Asked {
	readonly c: Context;
	readonly log: Logger;
}

/** A fault is ours: the caller learns when to come back, the log learns what happened. */
function answerFault(fault: Error, { c, log }: Asked): Response | Promise<Response> {
	if (fault instanceof HTTPException) return fault.getResponse();
	if (isDatabaseGone(fault)) {
		log.warn({ path: c.req.path, reason: rootOf(fault).message }, 'the database does not answer');
		c.header('Retry-After', '1');
		return problem(c, 503, 'databaseGone');
	}
	log.error({ err: fault, path: c.req.path }, 'a request failed');
	return problem(c, 500, 'fault');
}

/** What a query was given is nothing for a log, and Drizzle's own message holds it. */
function rootOf(fault: Error): Error {
	return fault.cause instanceof Error ? rootOf(fault.cause) : fault;
}

function problem(c: Context, status: 404 | 500 | 503, code: ProblemCode): Response {
	c.header('Content-Type', 'application/problem+json');
	return c.body(JSON.stringify({ status, code }), status);
}
