import { concatBytes, tag, utf8 } from '#domain/bytes.ts';
import type { BusinessId } from '#domain/ids.ts';
import { encodeFact } from './encode-fact.ts';
import type { Fact, RelaySignedFact } from './fact.ts';

/** Whether the relay signs facts of this kind: what says who is let in, and when a fact counts. */
export function isRelaySigned(fact: Fact): fact is RelaySignedFact {
	return fact.kind === 'member' || fact.kind === 'device' || fact.kind === 'clock';
}

/** RELAY-90. What the relay signs: all of the fact but the signature, and its shop. */
export function relayMessage(business: BusinessId, fact: RelaySignedFact): Uint8Array {
	const said = { ...fact };
	delete said.sig;
	return concatBytes(tag('daftar/relay-fact/v1'), utf8(`${business} ${encodeFact(said)}`));
}
