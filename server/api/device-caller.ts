import type { Context, MiddlewareHandler } from 'hono';
import type { DeviceAuth, DeviceCaller } from '#server/auth/device-auth.ts';
import type { Limits } from '#server/auth/limits.ts';
import type { Caller, PhoneAuth } from '#server/auth/phone-auth.ts';
import { problem, refusal } from './problem.ts';

export interface DeviceEnv {
	Variables: { caller: DeviceCaller };
}

export interface CallerEnv {
	Variables: { caller: Caller };
}

/** Lets devices through that proved themselves, and tells the route which one calls. */
export function devicesOnly(
	deviceAuth: Pick<DeviceAuth, 'authenticateDevice'>
): MiddlewareHandler<DeviceEnv> {
	return async (c, next) => {
		const caller = await deviceAuth.authenticateDevice(c.req.raw.headers);
		if (!caller.ok) return problem(c, refusal(caller.error));
		c.set('caller', caller.value);
		return next();
	};
}

export interface CallerParts {
	readonly deviceAuth: Pick<DeviceAuth, 'authenticateDevice'>;
	/** Where it is absent no phone is known. */
	readonly phoneAuth?: Pick<PhoneAuth, 'authenticatePhone'>;
}

/** The same for whatever has a feed and documents: a shop's device, or a customer's phone. */
export function callersOnly({ deviceAuth, phoneAuth }: CallerParts): MiddlewareHandler<CallerEnv> {
	return async (c, next) => {
		const { headers } = c.req.raw;
		const device = await deviceAuth.authenticateDevice(headers);
		const isOther = !device.ok && device.error === 'notSignedIn';
		const caller = isOther ? ((await phoneAuth?.authenticatePhone(headers)) ?? device) : device;
		if (!caller.ok) return problem(c, refusal(caller.error));
		c.set('caller', caller.value);
		return next();
	};
}

/** Counts what a device or a phone asks for, to be put behind the proof of who calls. */
export function countedByDevice(
	limits: Limits,
	name: Parameters<Limits['count']>[0]
): MiddlewareHandler<CallerEnv> {
	return async (c, next) => {
		const { scope, code } = c.var.caller;
		const counted = await limits.count(name, `${scope}/${code}`);
		if (!counted.ok) return problem(c, refusal('tooManyAttempts', { ...counted.error }));
		return next();
	};
}

/** A whole number of the query, from 0; undefined where it is absent or something else. */
export function wholeQuery(c: Context, name: string): number | undefined {
	const text = c.req.query(name) ?? '';
	const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
	return Number.isSafeInteger(value) ? value : undefined;
}
