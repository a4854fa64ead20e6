import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MessageGateway } from '#server/gateways/message-gateway.ts';
import type { GatewayMood, GatewayServer } from '#tests/support/gateway-servers.ts';

export interface GatewayUnderTest {
	readonly server: GatewayServer;
	readonly gateway: MessageGateway;
	/** An address that it takes. */
	readonly to: string;
	/** What is in the request that it makes. */
	readonly sends: readonly RegExp[];
}

/** What every gateway keeps to, whatever its provider does. `make` gives it 300 ms for a try. */
export function messageGatewayContract(name: string, make: () => Promise<GatewayUnderTest>): void {
	describe(`${name} as a gateway`, () => {
		let under: GatewayUnderTest;
		beforeAll(async () => {
			under = await make();
		});
		afterAll(() => under.server.close());

		async function send(mood: GatewayMood): ReturnType<MessageGateway['send']> {
			under.server.mood = mood;
			const text = 'Daftar: your code is 482177. رمزك & <b>';
			return under.gateway.send({ to: under.to, text, subject: 'Code', idempotencyKey: 'key/1' });
		}

		it('[MESSAGE-2] takes a message once, also where its provider answers twice', async () => {
			for (const mood of ['take', 'twice', 'take'] as const) {
				const before = under.server.received.length;
				expect(await send(mood)).toMatchObject({ ok: true });
				expect(under.server.received.length).toBe(before + 1);
			}
			for (const part of under.sends) expect(under.server.received.at(-1)).toMatch(part);
		});

		it.each(['hang', 'break', 'busy', 'drop'] as const)(
			'[MESSAGE-3] may be asked again where its provider does this: %s',
			async (mood) => {
				const startedAt = performance.now();
				expect(await send(mood)).toMatchObject({ ok: false, error: { isPassing: true } });
				expect(performance.now() - startedAt).toBeLessThan(2_000);
			}
		);

		it('[MESSAGE-3] is not asked again where its provider says no, and never says the key', async () => {
			const refused = await send('refuse');
			expect(refused).toMatchObject({ ok: false, error: { isPassing: false } });
			expect(JSON.stringify(refused)).not.toMatch(/secret-key|482177/);
		});

		it('[MESSAGE-4] sends the same words with every try', async () => {
			await send('break');
			await send('take');
			const [one = '', two = ''] = under.server.received.slice(-2).map(withoutDates);
			expect(two).toBe(one);
		});
	});
}

/** A letter says when it was written, and marks its parts anew. */
function withoutDates(request: string): string {
	return request.replace(/^Date: .*$/m, '');
}
