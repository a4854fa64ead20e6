import {
	parseBranchId,
	parseBusinessId,
	parseDeviceCode,
	parsePersonId,
	type BranchId,
	type BusinessId,
	type DeviceCode,
	type PersonId
} from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';

export interface SignedIn {
	readonly account: AccountName;
	readonly person: PersonId;
	/** Whether a code that was sent to its address came back. */
	readonly isProved: boolean;
}

export interface AccountName {
	readonly username: string;
	readonly kind: 'store' | 'customer';
	readonly name: string;
}

export interface Me extends SignedIn {
	readonly businesses: readonly MyBusiness[];
}

export interface MyBusiness {
	readonly business: BusinessId;
	readonly name: string;
	readonly branch: BranchId;
}

export interface Claimed {
	readonly code: DeviceCode;
	readonly member: number;
	readonly epoch: number;
}

export interface Invite {
	readonly token: string;
	readonly expiresAt: number;
}

export interface Bearer {
	readonly token: string;
	readonly expiresAt: number;
}

/** What a device that joined is from now on. */
export interface Joined {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly person: PersonId;
	readonly member: number;
	readonly code: DeviceCode;
	readonly sight: 'office' | 'counter';
	readonly epoch: number;
	/** The business's. */
	readonly name: string;
}

/** Reads an answer; refuses what our relay would not give. */
export type Read<T> = (body: unknown) => Result<T, 'notAnAnswer'>;

const business: Read<BusinessId> = (value) => read(parseBusinessId(value));
const branch: Read<BranchId> = (value) => read(parseBranchId(value));
const person: Read<PersonId> = (value) => read(parsePersonId(value));
const code: Read<DeviceCode> = (value) => read(parseDeviceCode(value));
export const text: Read<string> = (value) =>
	typeof value === 'string' ? ok(value) : err('notAnAnswer');
const flag: Read<boolean> = (value) =>
	typeof value === 'boolean' ? ok(value) : err('notAnAnswer');
export const whole: Read<number> = (value) =>
	typeof value === 'number' && Number.isSafeInteger(value) ? ok(value) : err('notAnAnswer');

const account = reading<AccountName>({
	username: text,
	kind: oneOf('store', 'customer'),
	name: text
});

export const readSignedIn = reading<SignedIn>({ account, person, isProved: flag });
export const readMe = reading<Me>({
	account,
	person,
	isProved: flag,
	businesses: listOf(reading<MyBusiness>({ business, name: text, branch }))
});
export const readClaimed = reading<Claimed>({ code, member: whole, epoch: whole });
export const readInvite = reading<Invite>({ token: text, expiresAt: whole });
export const readBearer = reading<Bearer>({ token: text, expiresAt: whole });
export const readJoined = reading<Joined>({
	business,
	branch,
	person,
	member: whole,
	code,
	sight: oneOf('office', 'counter'),
	epoch: whole,
	name: text
});
export const readNonce = reading<{ readonly nonce: string }>({ nonce: text });
export const readLacking = reading<{ readonly lacking: readonly string[] }>({
	lacking: listOf(text)
});
export const readNothing: Read<void> = () => ok(undefined);

/** Reads each field that is named; what else the relay says, a later one may, is left out. */
export function reading<T extends object>(fields: {
	readonly [Name in keyof T]: Read<T[Name]>;
}): Read<T> {
	return (value) => {
		if (typeof value !== 'object' || value === null) return err('notAnAnswer');
		const given = new Map<string, unknown>(Object.entries(value));
		const object: Record<string, unknown> = {};
		for (const [name, readField] of Object.entries<Read<unknown>>(fields)) {
			const field = readField(given.get(name));
			if (!field.ok) return field;
			object[name] = field.value;
		}
		return ok(object as T);
	};
}

export function listOf<T>(readItem: Read<T>): Read<readonly T[]> {
	return (value) => {
		if (!Array.isArray(value)) return err('notAnAnswer');
		const items: T[] = [];
		for (const one of value) {
			const item = readItem(one);
			if (!item.ok) return item;
			items.push(item.value);
		}
		return ok(items);
	};
}

export function oneOf<const T extends string>(...values: readonly T[]): Read<T> {
	return (value) => {
		const found = values.find((one) => one === value);
		return found === undefined ? err('notAnAnswer') : ok(found);
	};
}

function read<T>(parsed: Result<T, unknown>): Result<T, 'notAnAnswer'> {
	return parsed.ok ? parsed : err('notAnAnswer');
}
