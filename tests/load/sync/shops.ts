import { randomUUID } from 'node:crypto';
import { journalName } from '#documents/document-name.ts';
import type { Signer } from '#domain/crypto.ts';
import {
	parseDeviceCode,
	type BranchId,
	type BusinessId,
	type DeviceCode,
	type PersonId
} from '#domain/ids.ts';
import { systemRandom } from '#server/auth/random.ts';
import { createTickets } from '#server/auth/tickets.ts';
import { account, branch, business, device, member } from '#server/database/accounts.ts';
import type { Database } from '#server/database/connect.ts';
import { createSigner, createSigningKeys } from '#state/web-crypto.ts';

/** A shop with its devices, as ours knows it; to the others it is a document's name. */
export interface Shop {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly person: PersonId;
	readonly codes: readonly DeviceCode[];
	/** By what each of them signs. */
	readonly signers: ReadonlyMap<string, Signer>;
}

export interface Shops {
	/** New shops of so many devices each. */
	open(count: number, devices: number): Promise<readonly Shop[]>;
	/** Good once, for `ticketMs` of ours: to be asked for right before it is used. */
	ticket(shop: Shop, code: DeviceCode, document: string): Promise<string>;
}

const CODES = ['A', 'B', 'C', 'D'] as const;

export function createShops({ orm }: Database): Shops {
	const tickets = createTickets({ executor: orm, clock: Date.now, random: systemRandom });
	return {
		ticket: ({ business: scope }, code, document) =>
			tickets.create({ sort: 'device', scope, code }, document),
		open: async (count, devices) => {
			const codes = CODES.slice(0, devices).map(codeOf);
			const shops = await Promise.all(Array.from({ length: count }, () => newShop(codes)));
			await orm.transaction(async (transaction) => {
				const createdAt = Date.now();
				await transaction.insert(account).values(
					shops.map(({ person }) => ({
						account: person,
						username: person.slice(0, 18),
						kind: 'store' as const,
						name: 'Asha',
						email: `${person}@example.org`,
						passwordHash: '-',
						person,
						createdAt
					}))
				);
				await transaction.insert(business).values(
					shops.map((shop) => ({
						business: shop.business,
						name: 'Asha',
						lastDeviceCode: codes.at(-1) ?? 'A',
						lastMember: 1,
						claimedAt: createdAt
					}))
				);
				await transaction
					.insert(branch)
					.values(
						shops.map((shop) => ({ business: shop.business, branch: shop.branch, createdAt }))
					);
				await transaction.insert(member).values(
					shops.map((shop) => ({
						business: shop.business,
						member: 1,
						account: shop.person,
						person: shop.person,
						role: 'owner' as const,
						name: 'Asha',
						createdAt
					}))
				);
				await transaction.insert(device).values(
					shops.flatMap((shop) =>
						codes.map((code) => ({
							business: shop.business,
							code,
							branch: shop.branch,
							member: 1,
							sight: 'office' as const,
							publicKey: shop.signers.get(code)?.publicKey ?? new Uint8Array(),
							joinedAt: createdAt
						}))
					)
				);
			});
			return shops;
		}
	};
}

async function newShop(codes: readonly DeviceCode[]): Promise<Shop> {
	const signers = new Map<string, Signer>();
	for (const code of codes) signers.set(code, await createSigner(await createSigningKeys()));
	return {
		business: randomUUID() as BusinessId,
		branch: randomUUID() as BranchId,
		person: randomUUID() as PersonId,
		codes,
		signers
	};
}

/** The journal of the shop's branch, so many days ago. */
export function journalOf(shop: Shop, daysAgo = 0): string {
	return journalName(shop.business, shop.branch, Date.now() - daysAgo * 86_400_000);
}

function codeOf(text: string): DeviceCode {
	const parsed = parseDeviceCode(text);
	if (!parsed.ok) throw new Error('not a code');
	return parsed.value;
}
