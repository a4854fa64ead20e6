import { parseDeviceCode, parsePersonId } from '#domain/ids.ts';
import type { Identity } from '#state/identity.ts';
import { TRADE_BRANCH, TRADE_BUSINESS } from './trade.ts';

/** A device of `makeTrade`'s owner, as it knows itself; its key is still to be written in. */
export function tradeIdentity(letters: string): Identity {
	const code = parseDeviceCode(letters);
	const person = parsePersonId('0192f0c1-7a00-4000-8000-0000000000e1');
	if (!code.ok || !person.ok) throw new Error(`no identity: ${letters}`);
	return {
		business: TRADE_BUSINESS,
		branch: TRADE_BRANCH,
		person: person.value,
		member: 1,
		code: code.value,
		publicKey: '',
		sight: 'office',
		claimed: true
	};
}
