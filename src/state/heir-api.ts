import { decodeBase64url, encodeBase64url } from '#domain/bytes.ts';
import { heirStatement, NONCE_BYTES, type Heir } from '#domain/claim-statement.ts';
import type { Signer } from '#domain/crypto.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { readLacking, readNonce, type Read } from './account-answers.ts';
import { readJoined } from './account-answers.ts';
import { createAccountApi, send, type AccountApiParts, type ApiRefusal } from './account-api.ts';
import type { DeviceName, PhoneName } from './account-api.ts';
import type { AskedFact, HeirApi } from './heir.ts';
import { createRelayHttp, tokenRefusal, type RelayHttp, type RelayRefusal } from './relay-http.ts';

export interface HeirApiParts extends AccountApiParts {
	readonly clock: () => number;
}

/** The relay's routes for a device that takes another's place. */
export function createHeirApi(parts: HeirApiParts): HeirApi {
	return {
		takePlace: ({ business, code }, keys, told) =>
			takePlace(parts, { name: { business, code }, keys, told, read: readJoined }),
		as: ({ business, code }, signer) => relayAs(parts, { business, code }, signer)
	};
}

export interface Keys {
	readonly old: Signer;
	readonly heir: Signer;
}

interface Taking<T> {
	readonly name: DeviceName | PhoneName;
	readonly keys: Keys;
	/** What the relay said of the heir before it was restored. */
	readonly told?: string | undefined;
	readonly read: Read<T>;
}

/** Both keys sign the relay's nonce; where the old one is not let in any more, that is final. */
export async function takePlace<T>(
	parts: HeirApiParts,
	{ name, keys, told, read }: Taking<T>
): Promise<Result<T, RelayRefusal>> {
	const asked = await send(parts, { method: 'POST', path: '/devices/nonce', body: {} }, readNonce);
	if (!asked.ok) return err('unreachable');
	const nonce = decodeBase64url(asked.value.nonce);
	if (!nonce.ok || nonce.value.length !== NONCE_BYTES) return err('unreachable');
	const scope = 'business' in name ? name.business : name.person;
	const heir: Heir = { scope, code: name.code, publicKey: keys.heir.publicKey };
	const statement = heirStatement(nonce.value, heir);
	const body = {
		...name,
		...asked.value,
		signature: encodeBase64url(await keys.old.sign(statement)),
		publicKey: encodeBase64url(keys.heir.publicKey),
		newSignature: encodeBase64url(await keys.heir.sign(statement)),
		told
	};
	const answer = await send(parts, { method: 'POST', path: '/devices/heir', body }, read);
	return answer.ok ? answer : err(tokenRefusal(answer.error));
}

/** The routes that a device's or phone's key opens, and the question what the database lacks. */
export function relayAs(
	parts: HeirApiParts,
	name: DeviceName | PhoneName,
	signer: Signer
): ReturnType<HeirApi['as']> {
	const api = createAccountApi(parts);
	const getToken: Parameters<typeof createRelayHttp>[0]['getToken'] = async () => {
		const token = await api.deviceToken(name, signer);
		return token.ok ? ok(token.value) : err(tokenRefusal(token.error));
	};
	const http: RelayHttp = createRelayHttp({ ...parts, getToken });
	return {
		http,
		lacking: async (facts) => {
			const token = await getToken();
			return token.ok ? askLacking(parts, facts, token.value.token) : token;
		}
	};
}

async function askLacking(
	parts: HeirApiParts,
	facts: readonly AskedFact[],
	token: string
): Promise<Result<readonly string[], RelayRefusal>> {
	const asked = { method: 'POST', path: '/facts/lacking', body: { facts }, token } as const;
	const answer = await send(parts, asked, readLacking);
	return answer.ok ? ok(answer.value.lacking) : err(refusalOf(answer.error));
}

function refusalOf(error: ApiRefusal): RelayRefusal {
	return error === 'deviceRemoved' ? 'refused' : 'unreachable';
}
