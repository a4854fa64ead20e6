import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url, utf8 } from '#domain/bytes.ts';
import { lateFactsStatement } from '#domain/claim-statement.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { handFact } from '#tests/support/hostile-facts.ts';
import {
	createHostileStand,
	type HostileStand,
	type StandShop
} from '#tests/support/hostile-stand.ts';

/** Far less than the ninety seconds that a body may take. */
const SOON_MS = 5_000;
const JSON_OF_OURS = { host: 'x', origin: 'http://x', 'content-type': 'application/json' };
const crypto = createNodeCrypto();
let stand: HostileStand;
beforeAll(async () => {
	stand = await createHostileStand();
});
afterAll(() => stand.close());

it('[API-49] however many businesses send nothing of their bodies, another is answered', async () => {
	const lines: net.Socket[] = [];
	for (let n = 0; n < 10; n += 1) {
		const { headers } = await stand.shop(`slow.${String(n)}`);
		for (let at = 0; at < 4; at += 1) lines.push(await sendNothing('/facts/lacking', headers));
	}
	const { headers } = await stand.shop('quick');
	const answer = stand.ask('/facts/lacking', { body: { facts: [] }, by: { headers } });
	expect(await soon(answer)).toMatchObject({ status: 200, body: { lacking: [] } });
	for (const line of lines) line.destroy();
});

it('[API-52] however many businesses leave lots that do not come, another’s lot is taken', async () => {
	const lines: net.Socket[] = [];
	for (let n = 0; n < 16; n += 1) {
		const shop = await removed(`leaving.${String(n)}`);
		lines.push(await sendNothing('/late-facts', await proofOf(shop, [])));
	}
	const honest = await removed('honest');
	const { id, text } = handFact(honest, 'sale', 1, [[0, '', 1_000, 500, 500]], [['cash', 500]]);
	const by = { headers: await proofOf(honest, [text]) };
	const answer = stand.ask('/late-facts', { body: { facts: [text] }, by });
	expect(await soon(answer)).toMatchObject({ status: 200, body: { waiting: [id] } });
	for (const line of lines) line.destroy();
});

async function soon<T>(answer: Promise<T>): Promise<T | undefined> {
	const late = new Promise<undefined>((resolve) => {
		setTimeout(resolve, SOON_MS, undefined);
	});
	return Promise.race([answer, late]);
}

async function removed(username: string): Promise<StandShop> {
	const shop = await stand.shop(username);
	await stand.database.sql`
		update device set removed_at = ${stand.clock.now} where business = ${shop.business}`;
	return shop;
}

async function proofOf(
	{ business, code, signer }: StandShop,
	texts: readonly string[]
): Promise<Readonly<Record<string, string>>> {
	const given = await stand.ask('/devices/nonce', { body: {} });
	const said = String(given.body['nonce']);
	const nonce = decodeBase64url(said);
	if (!nonce.ok) throw new Error('no nonce');
	const digest = await crypto.sha256(utf8(texts.join('\n')));
	const signature = await signer.sign(lateFactsStatement(nonce.value, business, digest));
	const token = [business, code, said, encodeBase64url(digest), encodeBase64url(signature)];
	return { authorization: `Bearer ${token.join('.')}` };
}

/** A request that says how long its body is, and of that sends nothing. */
async function sendNothing(
	path: string,
	headers: Readonly<Record<string, string>>
): Promise<net.Socket> {
	const { port } = new URL(stand.syncUrl);
	const line = net.connect(Number(port), '127.0.0.1');
	line.on('error', () => undefined);
	const said = Object.entries({ ...headers, ...JSON_OF_OURS });
	const head = said.map(([name, value]) => `${name}: ${value}`);
	line.write([`POST /api${path} HTTP/1.1`, ...head, 'content-length: 100000', '', ''].join('\r\n'));
	await once(line, 'connect');
	return line;
}
