import { and, eq } from 'drizzle-orm';
import type { DeviceCode, PersonId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { createScopeToken, parseBusinessToken } from '#server/auth/secret-token.ts';
import { sweepExpired } from '#server/auth/sweep.ts';
import { balance } from '#server/database/journal.ts';
import { ledgerInvite } from '#server/database/ledgers.ts';
import type { Executor } from '#server/database/transaction.ts';
import { commitAct } from './act.ts';
import { ledgerIn, ofLedger } from './guard.ts';
import type { LedgerName, LedgerParts } from './ledger-parts.ts';
import { linkLedger, type LinkRefusal } from './linking.ts';
import { isOfRemoved, stoodThere, wasOfAnother } from './of-another.ts';
import { customerName, readShop, type Shop } from './shops.ts';

const LEDGER_INVITE_MS = 7 * 24 * 3_600_000;
/** How long a used or ended invite still says so, before it is unknown. */
const REMEMBERED_MS = 30 * 24 * 3_600_000;

export type InviteRefusal = 'inviteUnknown' | 'inviteUsed' | 'inviteExpired';
export type TakeRefusal = InviteRefusal | 'inviteOfAnother' | Exclude<LinkRefusal, 'ledgerTaken'>;

export interface NewInvite {
	readonly token: string;
	readonly expiresAt: number;
}

/** Makes an invite for one ledger: whoever takes it up first is linked. */
export async function createLedgerInvite(
	{ executor, clock, random }: LedgerParts,
	{ name, code }: { readonly name: LedgerName; readonly code: DeviceCode }
): Promise<NewInvite> {
	const now = clock();
	const expiresAt = now + LEDGER_INVITE_MS;
	const { text, digest } = createScopeToken(random, name.business);
	const before = now - REMEMBERED_MS;
	await sweepExpired(executor, ledgerInvite, { column: ledgerInvite.expiresAt, before });
	await executor
		.insert(ledgerInvite)
		.values({ ...name, code, tokenHash: digest, createdAt: now, expiresAt });
	return { token: text, expiresAt };
}

/** What stands on the page that an invite opens, before anybody is signed in. */
export interface InviteLook {
	readonly shop: string;
	/** The shop's username. */
	readonly username: string;
	/** As the shop calls its customer; empty where it has written no name, or an account is linked since. */
	readonly name: string;
	/** Empty where the shop has chosen none yet. */
	readonly currency: string;
	readonly exponent?: number;
	/** What the shop's book says is owed, minor units; absent where there is nothing yet, or an account is linked since. */
	readonly total?: number;
}

export async function lookAtInvite(
	{ executor, clock }: LedgerParts,
	token: string
): Promise<Result<InviteLook, InviteRefusal>> {
	const invite = await findInvite(executor, token);
	if (invite === undefined) return err('inviteUnknown');
	if (invite.usedAt !== null) return err('inviteUsed');
	if (invite.expiresAt <= clock()) return err('inviteExpired');
	if (await isOfRemoved(executor, madeBy(invite))) return err('inviteExpired');
	const shop = await readShop(executor, invite.name.business);
	const { username } = shop;
	// Who looks may be another.
	if (await stoodThere(executor, invite)) {
		return ok({ shop: shop.name, username, name: '', currency: shop.settings.currency ?? '' });
	}
	const name = await customerName(executor, invite.name);
	return ok({ shop: shop.name, username, name, ...(await bookOf(executor, invite.name, shop)) });
}

type Book = Pick<InviteLook, 'currency' | 'exponent' | 'total'>;

/** The shop's own currency first; one number, since sums of several are never added. */
async function bookOf(
	executor: Executor,
	name: LedgerName,
	{ settings }: Pick<Shop, 'settings'>
): Promise<Book> {
	const rows = await executor.select().from(balance).where(ofLedger(balance, name));
	const main = rows.find(({ currency }) => currency === settings.currency) ?? rows[0];
	if (main === undefined) return { currency: settings.currency ?? '' };
	const { currency, exponent } = main;
	const total = Number(main.total);
	return Number.isSafeInteger(total) ? { currency, exponent, total } : { currency, exponent };
}

/** Links the invite's ledger to the person; the same person again gets the same answer. */
export function takeInvite(
	parts: LedgerParts,
	{ token, person }: { readonly token: string; readonly person: PersonId }
): Promise<Result<LedgerName, TakeRefusal>> {
	return commitAct(parts, async (act) => {
		const invite = await findInvite(act.tx, token, 'lock');
		if (invite === undefined) return err('inviteUnknown');
		if (invite.usedBy === person) return ok(invite.name);
		if (invite.usedAt !== null) return err('inviteUsed');
		if (invite.expiresAt <= parts.clock()) return err('inviteExpired');
		if (await isOfRemoved(act.tx, madeBy(invite))) return err('inviteExpired');
		if (await wasOfAnother(act.tx, invite, person)) return err('inviteOfAnother');
		const party = { way: 'app', person } as const;
		const linked = await linkLedger(act, parts, { name: invite.name, party });
		if (!linked.ok) return err(linked.error === 'ledgerTaken' ? 'inviteOfAnother' : linked.error);
		await act.tx
			.update(ledgerInvite)
			.set({ usedAt: parts.clock(), usedBy: person })
			.where(sameInvite(invite));
		return ok(invite.name);
	});
}

interface FoundInvite {
	readonly name: LedgerName;
	readonly tokenHash: Uint8Array;
	readonly code: string | null;
	readonly createdAt: number;
	readonly expiresAt: number;
	readonly usedAt: number | null;
	readonly usedBy: string | null;
}

async function findInvite(
	executor: Executor,
	token: string,
	isLocked?: 'lock'
): Promise<FoundInvite | undefined> {
	const parsed = parseBusinessToken(token);
	if (!parsed.ok) return undefined;
	const { business, digest: tokenHash } = parsed.value;
	const rows = executor
		.select()
		.from(ledgerInvite)
		.where(and(eq(ledgerInvite.business, business), eq(ledgerInvite.tokenHash, tokenHash)));
	const [row] = await (isLocked === undefined ? rows : rows.for('update'));
	if (row === undefined) return undefined;
	const { code, createdAt, expiresAt, usedAt, usedBy } = row;
	const name = { business, ledger: ledgerIn(row.ledger) };
	return { name, tokenHash, code, createdAt, expiresAt, usedAt, usedBy };
}

function madeBy({ name: { business }, code }: FoundInvite) {
	return { business, code };
}

function sameInvite({ name, tokenHash }: FoundInvite): ReturnType<typeof and> {
	return and(eq(ledgerInvite.business, name.business), eq(ledgerInvite.tokenHash, tokenHash));
}
