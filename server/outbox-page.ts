import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono, type Context } from 'hono';
import { html } from 'hono/html';
import type { Executor } from './database/transaction.ts';
import { outcomeOf, readOutbox, textOf } from './gateways/outbox.ts';

const SHOWN_MAX = 100;

/**
 * `/outbox`: the messages of the practice providers, newest first. They hold codes, so that the page
 * is for this machine alone: whoever comes from elsewhere, or through a proxy, is sent to the command.
 */
export function createOutboxPage(executor: Executor): Hono {
	const page = new Hono();
	page.get('/', async (c) => {
		c.header('Cache-Control', 'no-store');
		if (!isOnThisMachine(c)) return c.text(ELSEWHERE, 403);
		const messages = await readOutbox(executor, SHOWN_MAX);
		return c.html(
			html`<!doctype html>
				<html lang="en">
					<head>
						<meta charset="utf-8" />
						<meta name="viewport" content="width=device-width, initial-scale=1" />
						<meta http-equiv="refresh" content="5" />
						<title>Daftar: outbox</title>
					</head>
					<body
						style="font: 16px/1.5 system-ui; max-width: 42rem; margin: auto; padding: 1rem; color-scheme: light dark"
					>
						<h1 style="font-size: 1.25rem">Outbox</h1>
						<p>Messages to people, newest first.</p>
						${messages.length === 0 ? html`<p>Nobody was written to yet.</p>` : ''}
						${messages.map(
							(one) =>
								html`<article style="border-top: 1px solid; padding-block: 0.75rem">
									<b dir="ltr">${one.recipient}</b> · ${one.channel} ·
									${new Date(one.createdAt).toISOString()}<br />
									${one.subject ?? ''}
									<p dir="auto" style="margin: 0.25rem 0; overflow-wrap: anywhere">
										${textOf(one)}
									</p>
									<small>${outcomeOf(one)}</small>
								</article>`
						)}
					</body>
				</html>`
		);
	});
	return page;
}

const ELSEWHERE = 'Messages are shown on the machine that Daftar runs on, or by: npm run outbox\n';
const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;

function isOnThisMachine(c: Context): boolean {
	const isProxied =
		c.req.header('x-forwarded-for') !== undefined || c.req.header('forwarded') !== undefined;
	return !isProxied && LOOPBACK.test(getConnInfo(c).remote.address ?? '');
}
