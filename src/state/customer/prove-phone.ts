import { decodeBase64url } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import type { ApiRefusal } from '../account-api.ts';
import type { CustomerApi } from './connections.ts';
import type { OpenPhone } from './open-phone.ts';

export interface ProvingParts {
	readonly phone: OpenPhone;
	readonly signer: Signer;
	readonly api: Pick<CustomerApi, 'enrol' | 'phoneToken' | 'secrets'>;
}

/** Why a phone is not proved yet; undefined where all is done. */
export type ProvingOutcome = ApiRefusal | undefined;

const SECRET_BYTES = 32;

/**
 * Makes this phone known to the relay, once in the life of its database, and fetches what its codes are
 * made from where it lacks any. What was done already is not asked for again, so it may be called at will.
 */
export async function provePhone({ phone, signer, api }: ProvingParts): Promise<ProvingOutcome> {
	const { person } = phone.identity;
	if (phone.identity.code === undefined) {
		const enrolled = await api.enrol(person, signer);
		if (!enrolled.ok) return enrolled.error;
		await phone.markEnrolled(enrolled.value);
	}
	const { code } = phone.identity;
	if (code === undefined || !(await phone.lacksSecret())) return undefined;
	const bearer = await api.phoneToken({ person, code }, signer);
	if (!bearer.ok) return bearer.error;
	const answered = await api.secrets(person, bearer.value.token);
	if (!answered.ok) return answered.error;
	const secrets = answered.value.secrets.flatMap((text) => {
		const bytes = decodeBase64url(text);
		return bytes.ok && bytes.value.length === SECRET_BYTES ? [bytes.value] : [];
	});
	if (secrets.length === 0 || secrets.length !== answered.value.secrets.length)
		return 'unreachable';
	await phone.keepSecrets(secrets);
	return undefined;
}
