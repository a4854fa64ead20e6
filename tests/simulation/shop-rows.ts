import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import { encodeBase64url } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import {
	nextDeviceCode,
	parseBranchId,
	parseBusinessId,
	parseDeviceCode,
	parsePersonId,
	type BranchId,
	type BusinessId,
	type DeviceCode,
	type PersonId
} from '#domain/ids.ts';
import type { Identity } from '#state/identity.ts';
import { createSessions } from '#server/auth/sessions.ts';
import { sure } from '#tests/support/sure.ts';
import type { Chance } from './chance.ts';
import { createSimSigner } from './crypto.ts';

/** A business as the relay knows it before a run begins. */
export interface ShopRows {
	readonly business: BusinessId;
	readonly branches: readonly BranchId[];
	readonly person: PersonId;
	/** Of a session of its owner. */
	readonly cookie: string;
	readonly devices: readonly ShopDevice[];
}

export interface ShopDevice {
	readonly identity: Identity;
	readonly signer: Signer;
}

export interface ShopPlan {
	readonly name: string;
	readonly branches: number;
	readonly devices: number;
	readonly now: number;
}

/** An account as a sign-up makes it, with a session of it. */
async function makeAccount(
	sql: Sql,
	chance: Chance,
	{ name, kind, now }: { readonly name: string; readonly kind: string; readonly now: number }
): Promise<{ readonly account: string; readonly person: PersonId; readonly cookie: string }> {
	const account = chance.uuid();
	const person = sure(parsePersonId(chance.uuid()));
	await sql`
		insert into account (account, username, kind, name, email, password_hash, person, created_at)
		values (${account}, ${name}, ${kind}, ${name}, ${`${name}@example.org`}, '-', ${person}, ${now})`;
	await sql`insert into person (person, account, created_at) values (${person}, ${account}, ${now})`;
	const parts = {
		executor: drizzle(sql),
		clock: () => now,
		random: { bytes: chance.bytes, uuid: chance.uuid }
	};
	const cookie = await createSessions(parts).open(parts.executor, account, {
		userAgent: 'simulation',
		address: ''
	});
	return { account, person, cookie };
}

/** The public half of the relay's key, by which what it signed before a restore is known again. */
export async function keepRelayKey(
	sql: Sql,
	{ publicKey, kid }: Signer,
	now: number
): Promise<void> {
	await sql`
		insert into relay_key (place, kid, public_key, sealed, created_at)
		values (1, ${encodeBase64url(kid)}, ${Buffer.from(publicKey)}, ${Buffer.from('')}, ${now})`;
}

/** A customer as the relay knows him before a run begins, with his phone `p1`. */
export interface PatronRows {
	readonly person: PersonId;
	readonly cookie: string;
	readonly signer: Signer;
}

export async function makePatron(
	sql: Sql,
	chance: Chance,
	{ name, now }: { readonly name: string; readonly now: number }
): Promise<PatronRows> {
	const { person, cookie } = await makeAccount(sql, chance, { name, kind: 'customer', now });
	const signer = createSimSigner(chance);
	await sql`
		insert into phone (person, code, number, public_key, kid, joined_at)
		values (${person}, 'p1', 1, ${Buffer.from(signer.publicKey)}, ${Buffer.from(signer.kid)}, ${now})`;
	await sql`insert into person_detail (person, last_phone) values (${person}, 1)`;
	return { person, cookie, signer };
}

export async function makeShop(sql: Sql, chance: Chance, plan: ShopPlan): Promise<ShopRows> {
	const { name, now } = plan;
	const { account, person, cookie } = await makeAccount(sql, chance, { name, kind: 'store', now });
	const business = sure(parseBusinessId(chance.uuid()));
	const branches = Array.from({ length: plan.branches }, () => sure(parseBranchId(chance.uuid())));
	const codes = codesOf(plan.devices);
	const devices = codes.map((code, at): ShopDevice => {
		const signer = createSimSigner(chance);
		const branch = branches[at % branches.length];
		if (branch === undefined) throw new Error('a shop has a branch');
		const publicKey = encodeBase64url(signer.publicKey);
		const base = { business, branch, person, member: 1, code, publicKey };
		return { signer, identity: { ...base, sight: 'office', claimed: true } };
	});
	await sql`
		insert into business (business, name, last_device_code, last_member, claimed_at)
		values (${business}, ${name}, ${codes.at(-1) ?? 'A'}, 1, ${now})`;
	for (const [at, branch] of branches.entries())
		await sql`
			insert into branch (business, branch, created_at) values (${business}, ${branch}, ${now + at})`;
	await sql`
		insert into member (business, member, account, person, role, name, created_at)
		values (${business}, 1, ${account}, ${person}, 'owner', ${name}, ${now})`;
	for (const { identity, signer } of devices)
		await sql`
			insert into device (business, code, branch, member, sight, public_key, joined_at)
			values (${business}, ${identity.code}, ${identity.branch}, 1, 'office',
				${Buffer.from(signer.publicKey)}, ${now})`;
	return { business, branches, person, cookie, devices };
}

function codesOf(count: number): readonly DeviceCode[] {
	const codes = [sure(parseDeviceCode('A'))];
	while (codes.length < count)
		codes.push(nextDeviceCode(codes.at(-1) ?? sure(parseDeviceCode('A'))));
	return codes;
}
