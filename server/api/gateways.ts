import { Hono } from 'hono';
import type { Messages } from '#server/gateways/messages.ts';

/** `GET /gateways`: whether messages reach phones and mailboxes, or the operator's outbox alone. */
export function gatewayRoutes({ messages }: { readonly messages: Pick<Messages, 'kinds'> }): Hono {
	const routes = new Hono();
	routes.get('/gateways', (c) => c.json(messages.kinds));
	return routes;
}
