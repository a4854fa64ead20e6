import { concatBytes, tag, utf8 } from '#domain/bytes.ts';
import type { BusinessId } from '#domain/ids.ts';
import { encodeFact } from './encode-fact.ts';
import { RELAY_SIGNED_KINDS, type Fact, type RelaySignedFact } from './fact.ts';
import { isOneOf } from './shape.ts';

/** Whether the relay signs facts of this kind: what says who is let in, and when a fact counts. */
export function isRelaySigned(fact: Fact): fact is RelaySignedFact {
	return isOneOf(fact.kind, RELAY_SIGNED_KINDS);
}

/** RELAY-90. What the relay signs: all of the fact but the signature, and its shop. */
export function relayMessage(business: BusinessId, fact: RelaySignedFact): Uint8Array {
	const said = { ...fact };
	delete said.sig;
	return concatBytes(tag('daftar/relay-fact/v1'), utf8(`${business} ${encodeFact(said)}`));
}
