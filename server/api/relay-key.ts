import { Hono } from 'hono';
import { encodeBase64url } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';

/** CODES-9. `GET /relay-key`: the point by which everybody may check what this relay signed. */
export function relayKeyRoutes({ relayKey }: { readonly relayKey: Signer }): Hono {
	const routes = new Hono();
	routes.get('/relay-key', (c) =>
		c.json({ kid: encodeBase64url(relayKey.kid), key: encodeBase64url(relayKey.publicKey) })
	);
	return routes;
}
