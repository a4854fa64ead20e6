import { decodeBase64url } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import type { ApiRefusal } from '../account-api.ts';
import type { CustomerApi } from './connections.ts';
import type { OpenPhone } from './open-phone.ts';

export interface ProvingParts {
	readonly phone: OpenPhone;
	readonly signer: Signer;
	readonly api: Pick<CustomerApi, 'enrol' | 'phoneToken' | 'secret'>;
}

/** Why a phone is not proved yet; undefined where all is done. */
export type ProvingOutcome = ApiRefusal | undefined;

const SECRET_BYTES = 32;

/**
 * Makes this phone known to the relay and fetches what its codes are made from: each once in the
 * life of its database. What was done already is not asked for again, so it may be called at will.
 */
export async function provePhone({ phone, signer, api }: ProvingParts): Promise<ProvingOutcome> {
	const { person } = phone.identity;
	if (phone.identity.code === undefined) {
		const enrolled = await api.enrol(person, signer);
		if (!enrolled.ok) return enrolled.error;
		await phone.markEnrolled(enrolled.value);
	}
	const { code } = phone.identity;
	if (code === undefined || (await phone.hasSecret())) return undefined;
	const bearer = await api.phoneToken({ person, code }, signer);
	if (!bearer.ok) return bearer.error;
	const answered = await api.secret(person, bearer.value.token);
	if (!answered.ok) return answered.error;
	const bytes = decodeBase64url(answered.value.secret);
	if (!bytes.ok || bytes.value.length !== SECRET_BYTES) return 'unreachable';
	await phone.keepSecret(bytes.value);
	return undefined;
}
