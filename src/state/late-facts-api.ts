import { decodeBase64url, encodeBase64url, utf8 } from '#domain/bytes.ts';
import { lateFactsStatement, NONCE_BYTES } from '#domain/claim-statement.ts';
import type { CryptoParts, Signer } from '#domain/crypto.ts';
import { err, type Result } from '#domain/result.ts';
import { listOf, readNonce, reading, type Read } from './account-answers.ts';
import { send, type AccountApiParts, type ApiRefusal } from './account-api.ts';
import type { DeviceName } from './account-api.ts';
import type { LateApi, LateRefusal, Left } from './late-facts.ts';

const text: Read<string> = (value) =>
	typeof value === 'string' ? { ok: true, value } : { ok: false, error: 'notAnAnswer' };
const readLeft = reading<Left>({
	waiting: listOf(text),
	known: listOf(text),
	refused: listOf(text)
});

export interface LateApiParts extends AccountApiParts {
	readonly device: DeviceName;
	readonly signer: Signer;
	readonly crypto: Pick<CryptoParts, 'sha256'>;
}

/** The one route that a removed device's key still opens. */
export function createLateApi(parts: LateApiParts): LateApi {
	const { device, signer, crypto } = parts;
	return {
		async leave(facts) {
			const asked = await send(
				parts,
				{ method: 'POST', path: '/devices/nonce', body: {} },
				readNonce
			);
			if (!asked.ok) return err('unreachable');
			const nonce = decodeBase64url(asked.value.nonce);
			if (!nonce.ok || nonce.value.length !== NONCE_BYTES) return err('unreachable');
			const digest = await crypto.sha256(utf8(facts.join('\n')));
			const statement = lateFactsStatement(nonce.value, device.business, digest);
			const signature = encodeBase64url(await signer.sign(statement));
			// Proved by its header: the relay reads no lot of somebody that it does not know.
			const proof = [asked.value.nonce, encodeBase64url(digest), signature];
			const token = [device.business, device.code, ...proof].join('.');
			const sent = { method: 'POST', path: '/late-facts', token, body: { facts } } as const;
			const answer = await send(parts, sent, readLeft);
			return answer.ok ? answer : refused(answer.error);
		}
	};
}

function refused(error: ApiRefusal): Result<Left, LateRefusal> {
	if (error === 'deviceRefused') return err('unknown');
	return err(error === 'deviceRemoved' || error === 'bodyTooLarge' ? 'ended' : 'unreachable');
}
