import { and, eq } from 'drizzle-orm';
import { err, ok, type Result } from '#domain/result.ts';
import { member, person as personTable } from '#server/database/accounts.ts';
import { ledgerGuard, phoneChange, smsSend } from '#server/database/ledgers.ts';
import { ledgerLink } from '#server/database/persons.ts';
import type { Act } from './act.ts';
import { makeCard, phoneEndOf } from './cards.ts';
import { raiseEpoch } from './code-sets.ts';
import {
	lockGuard,
	ofLedger,
	readHolder,
	readLink,
	readLinkedLedger,
	type Guard,
	type Link
} from './guard.ts';
import type { LedgerName, LedgerParts, Party } from './ledger-parts.ts';

/**
 * Why a ledger is not linked, the first that applies: the account works in the shop; the ledger is
 * another's; the number that was proved has not let it go; the person has another card there.
 */
export type LinkRefusal = 'ownShop' | 'ledgerTaken' | 'oldCodeNeeded' | 'alreadyLinked';

/** After so long nobody has to be asked any more who once proved a number here. */
export const NUMBER_KEPT_MS = 7 * 24 * 3_600_000;

/**
 * Puts somebody behind a ledger: a new epoch of its codes, facts for both sides, and all that was
 * written before brought to a person. The same party again changes nothing, but a number that was
 * proved again begins a new epoch.
 */
export async function linkLedger(
	act: Act,
	parts: LedgerParts,
	{ name, party, since }: ToLink
): Promise<Result<Link, LinkRefusal>> {
	const guard = await lockGuard(act.tx, name);
	const before = await readLink(act.tx, name);
	if (party.way === 'app') await parts.backfill.hold(act.tx, { ...name, person: party.person });
	const told = [before?.person ?? null, party.way === 'app' ? party.person : null];
	await act.lock(name.business, ...told.filter((person) => person !== null));
	const refused = await refusalOf(act, parts, { name, party, guard, before });
	if (refused !== undefined) return err(refused);
	// Whoever is there, or proved himself anew, has answered what was asked for another number.
	await act.tx.delete(phoneChange).where(ofLedger(phoneChange, name));
	if (before !== undefined && isSame(before, party)) return ok(before);

	const link = await keepLink(act, parts, { name, party, before, since });
	const isBack = since !== undefined || (await isKnown(act, { guard, before, party }));
	await makeCard(act, parts, { name, link, party, isBack });
	if (party.way === 'app') await parts.backfill.bring(act.tx, { ...name, person: party.person });
	return ok(link);
}

interface ToLink {
	readonly name: LedgerName;
	readonly party: Party;
	/** Of a connection that was forgotten: since when it stands, ms. It goes on as if it never had been. */
	readonly since?: number | undefined;
}

/** Whether the caller must first hear from the number that was proved on this ledger. */
export function isNumberKept(
	{ phone }: Pick<Guard, 'phone'>,
	before: Link | undefined,
	now: number
): boolean {
	if (phone === null || before === undefined) return false;
	return before.state === 'linked' || now < before.at + NUMBER_KEPT_MS;
}

interface Asked {
	readonly name: LedgerName;
	readonly party: Party;
	readonly guard: Guard;
	readonly before: Link | undefined;
}

async function refusalOf(
	act: Act,
	parts: LedgerParts,
	{ name, party, guard, before }: Asked
): Promise<LinkRefusal | undefined> {
	if (await worksThere(act, name, party)) return 'ownShop';
	if (isTaken(before, party)) return 'ledgerTaken';
	if (isNumberKept(guard, before, parts.clock()) && guard.phone !== (await numberOf(act, party))) {
		return 'oldCodeNeeded';
	}
	return (await hasOther(act, name, party)) ? 'alreadyLinked' : undefined;
}

function isTaken(before: Link | undefined, party: Party): boolean {
	return before?.state === 'linked' && before.person !== null && !isSame(before, party);
}

async function hasOther({ tx }: Act, name: LedgerName, party: Party): Promise<boolean> {
	if (party.way === 'phone') return false;
	const { business, ledger } = name;
	const other = await readLinkedLedger(tx, { business, person: party.person });
	return other !== undefined && other !== ledger;
}

function isSame(before: Link, party: Party): boolean {
	return before.state === 'linked' && isLast(before, party);
}

function isLast(before: Link | undefined, party: Party): boolean {
	return party.way === 'app' && before?.person === party.person;
}

async function worksThere(act: Act, { business }: LedgerName, party: Party): Promise<boolean> {
	if (party.way === 'phone') return false;
	const rows = await act.tx
		.select({ member: member.member })
		.from(member)
		.innerJoin(personTable, eq(personTable.account, member.account))
		.where(and(eq(member.business, business), eq(personTable.person, party.person)));
	return rows.length > 0;
}

async function numberOf({ tx }: Act, party: Party): Promise<string | null> {
	return party.way === 'phone' ? party.phone : (await readHolder(tx, party.person)).phone;
}

async function isKnown(
	act: Act,
	{ guard, before, party }: Pick<Asked, 'guard' | 'before' | 'party'>
): Promise<boolean> {
	return isLast(before, party) || hasNumber(act, guard, party);
}

/** Whether the number that was proved here last is the party's. */
async function hasNumber(act: Act, { phone }: Guard, party: Party): Promise<boolean> {
	return phone !== null && phone === (await numberOf(act, party));
}

/** To whom the messages of a connection that ended went: no number that is behind a ledger. */
const NOBODY = '';

async function keepLink(
	act: Act,
	parts: LedgerParts,
	{ name, party, before, since }: ToLink & Pick<Asked, 'before'>
): Promise<Link> {
	const { tx } = act;
	const person = party.way === 'app' ? party.person : null;
	const at = since ?? parts.clock();
	const state = { state: 'linked', way: party.way, person, at } as const;
	await tx
		.insert(ledgerLink)
		.values({ ...name, ...state, epoch: before?.epoch ?? 0 })
		.onConflictDoUpdate({ target: [ledgerLink.business, ledgerLink.ledger], set: state });
	const phone = party.way === 'phone' ? party.phone : null;
	await tx.update(ledgerGuard).set({ phone }).where(ofLedger(ledgerGuard, name));
	// JUDGE-12. So do those that went out by message, whichever relay sent them and whatever its clock said.
	await tx.update(smsSend).set({ recipient: NOBODY }).where(ofLedger(smsSend, name));
	// The codes of whoever stood there before end with him; he is told so too.
	const last = { person: before?.person ?? null, epoch: before?.epoch ?? 0 };
	const epoch = await raiseEpoch(act, parts, { name, link: last, holder: person });
	return { ...state, epoch };
}

export type EndRefusal = 'notLinked';

/** Ends the connection: no new record reaches the person, no code works, the debt stays. */
export async function endLink(
	act: Act,
	parts: LedgerParts,
	ended: LedgerName & { readonly by: 'shop' | 'customer'; readonly at?: number }
): Promise<Result<null, EndRefusal>> {
	const { by, at = parts.clock(), ...name } = ended;
	await lockGuard(act.tx, name);
	const link = await readLink(act.tx, name);
	if (link?.state !== 'linked') return err('notLinked');
	await act.lock(name.business, ...(link.person === null ? [] : [link.person]));
	await act.tx.update(ledgerLink).set({ state: 'ended', at }).where(ofLedger(ledgerLink, name));
	await act.write(name.business, {
		kind: 'link',
		ledgerId: name.ledger,
		fields: { state: 'ended', endedBy: by, at },
		branch: null
	});
	if (link.person === null) return ok(null);
	await act.write(link.person, {
		kind: 'card',
		businessId: name.business,
		ledgerId: name.ledger,
		fields: { state: 'ended', endedBy: by, at },
		branch: null
	});
	return ok(null);
}

/** Lets go of a number that was proved: the ledger is the shop's own book until one is proved again. */
export async function forgetNumber(act: Act, parts: LedgerParts, name: LedgerName): Promise<void> {
	await act.lock(name.business);
	const at = parts.clock();
	await act.tx.update(ledgerGuard).set({ phone: null }).where(ofLedger(ledgerGuard, name));
	await act.tx.update(ledgerLink).set({ state: 'ended', at }).where(ofLedger(ledgerLink, name));
	await act.write(name.business, {
		kind: 'link',
		ledgerId: name.ledger,
		fields: { state: 'none', at, phoneEnd: phoneEndOf(null) },
		branch: null
	});
}
