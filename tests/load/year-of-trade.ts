import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeBase64url } from '#domain/bytes.ts';
import type { ProductId } from '#domain/ids.ts';
import { createAccountApi, inviteLink } from '#state/account-api.ts';
import { createChanges } from '#state/changes.ts';
import { openDevice, type Device, type DeviceParts } from '#state/device.ts';
import { mintIdentity } from '#state/identity.ts';
import { createRelayHttp } from '#state/relay-http.ts';
import { createRelayLink } from '#state/relay-link.ts';
import { createWebsocketProviders } from '#state/relay-provider.ts';
import { uuidV7 } from '#state/uuid-v7.ts';
import { createSigner, createSigningKeys, createWebCrypto } from '#state/web-crypto.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { createMemoryDocumentsHost } from '#storage/documents-host.ts';
import { seeded } from '#tests/support/seeded.ts';
import { sure } from '#tests/support/sure.ts';
import { withCookie } from './cookie-fetch.ts';

const DAY_MS = 86_400_000;
const SALE_GAP_MS = 60_000;
const LINES_MAX = 4;
const WAIT_MS = 500;

export interface TradeSize {
	readonly products: number;
	readonly sales: number;
	readonly days: number;
}

/**
 * Plays a shop's trade through a real device in memory, up to now, and sends it to the relay at
 * `url`. Answers the link by which another device joins the shop.
 */
export async function playTrade(url: string, size: TradeSize): Promise<string> {
	const clock = { now: Date.now() - size.days * DAY_MS };
	const parts: DeviceParts = {
		store: createMemoryDeviceStore(),
		signer: await createSigner(await createSigningKeys()),
		crypto: createWebCrypto(),
		clock: () => clock.now,
		uuid: { v4: randomUUID, v7: () => uuidV7(clock.now, randomBytes(16)) },
		changes: createChanges()
	};
	const identity = mintIdentity({ uuid: parts.uuid, publicKey: parts.signer.publicKey });
	const device = await openDevice(parts, identity);
	sure(
		await device.changeSettings({ name: 'Asha Stores', currency: 'KES', zone: 'Africa/Nairobi' })
	);
	const products = await stockShelves(device, size.products);
	await sellThrough(device, { products, clock, size });
	clock.now = Date.now();

	const api = createAccountApi({ fetch: withCookie(url), base: url });
	await claim(device, parts, api);
	await send(device, parts, { url, api });
	const { business, branch } = device.identity;
	return inviteLink(url, sure(await api.invite({ business, branch })));
}

async function stockShelves(device: Device, count: number): Promise<readonly ProductId[]> {
	return sure(
		await device.addProducts(
			Array.from({ length: count }, (_, place) => ({
				name: `Product ${String(place)} ${place % 3 === 0 ? 'large' : 'small'} ${encodeBase64url(randomBytes(3))}`,
				price: 1_000 + 100 * (place % 900),
				codes: [String(6_000_000_000_000 + place)],
				category: `Shelf ${String(place % 24)}`
			}))
		)
	);
}

interface Selling {
	readonly products: readonly ProductId[];
	readonly clock: { now: number };
	readonly size: TradeSize;
}

async function sellThrough(device: Device, { products, clock, size }: Selling): Promise<void> {
	const random = seeded(1);
	const perDay = Math.ceil(size.sales / size.days);
	const opened = clock.now;
	for (let place = 0; place < size.sales; place += 1) {
		clock.now = opened + Math.floor(place / perDay) * DAY_MS + (place % perDay) * SALE_GAP_MS;
		const lines = Array.from({ length: 1 + random(LINES_MAX) }, () => {
			const at = random(products.length);
			const productId = products[at];
			return {
				...(productId !== undefined && { productId }),
				name: `Product ${String(at)}`,
				unitPriceMinor: 1_000 + 100 * (at % 900),
				quantityThousandths: 1_000
			};
		});
		const minor = lines.reduce((sum, line) => sum + line.unitPriceMinor, 0);
		sure(await device.sell({ lines, tenders: [{ kind: 'cash', minor }] }));
	}
}

type Api = ReturnType<typeof createAccountApi>;

async function claim(device: Device, { signer }: DeviceParts, api: Api): Promise<void> {
	const { business, branch, person } = device.identity;
	const username = `asha.${encodeBase64url(randomBytes(5))
		.toLowerCase()
		.replace(/[^a-z0-9]/g, '')}x`;
	const name = 'Asha';
	const password = encodeBase64url(randomBytes(12));
	sure(
		await api.signUp({ kind: 'store', username, name, email: 'asha@example.org', password, person })
	);
	await device.markClaimed(sure(await api.claim({ business, branch, person, name }, signer)));
}

/** Sends all of it, and waits until the relay has it. */
async function send(
	device: Device,
	parts: DeviceParts,
	{ url, api }: { readonly url: string; readonly api: Api }
): Promise<void> {
	const random = (limit: number): number => Math.floor(Math.random() * limit);
	const http = createRelayHttp({
		fetch,
		base: url,
		clock: Date.now,
		getToken: async () => {
			const { business, code } = device.identity;
			const bearer = await api.deviceToken({ business, code }, parts.signer);
			return bearer.ok ? bearer : { ok: false, error: 'unreachable' };
		}
	});
	const link = createRelayLink({
		...parts,
		device,
		http,
		random,
		documents: createMemoryDocumentsHost(random),
		createProvider: createWebsocketProviders({
			origin: url.replace(/^http/, 'ws'),
			WebSocket,
			getTicket: (document) => http.ticket(document)
		}),
		timers: {
			after: (ms, work) => {
				const timer = setTimeout(work, ms);
				return () => {
					clearTimeout(timer);
				};
			}
		},
		onFault: (fault) => {
			throw fault;
		}
	});
	await link.start();
	while (link.status.unsent > 0) {
		if (link.status.halted !== undefined) throw new Error(`halted: ${link.status.halted}`);
		await sleep(WAIT_MS);
	}
	await link.stop();
}
