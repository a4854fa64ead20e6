import { parseDeviceCode } from '#domain/ids.ts';
import type { DeviceCaller } from '#server/auth/device-auth.ts';
import { TRADE_BRANCH, TRADE_BUSINESS } from './trade.ts';

/**
 * The owner's device of `makeTrade`'s business as its proof makes it known to a route. Where no
 * key is given, it has one that opens nothing.
 */
export function deviceCaller(
	letters: string,
	publicKey: Uint8Array = new Uint8Array(65)
): DeviceCaller {
	const code = parseDeviceCode(letters);
	if (!code.ok) throw new Error(`no device code: ${letters}`);
	return {
		sort: 'device',
		scope: TRADE_BUSINESS,
		business: TRADE_BUSINESS,
		branch: TRADE_BRANCH,
		code: code.value,
		member: 1,
		role: 'owner',
		sight: 'office',
		publicKey
	};
}
