import { and, eq, type SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { assert } from '#domain/assert.ts';
import {
	parseBusinessId,
	parseLedgerId,
	parsePersonId,
	type BusinessId,
	type LedgerId,
	type PersonId
} from '#domain/ids.ts';
import { account, person } from '#server/database/accounts.ts';
import { ledgerGuard } from '#server/database/ledgers.ts';
import { ledgerLink, personDetail } from '#server/database/persons.ts';
import type { Executor, Transaction } from '#server/database/transaction.ts';
import type { LedgerName } from './ledger-parts.ts';

export type Guard = typeof ledgerGuard.$inferSelect;

/** Who stands behind a ledger, or stood until the connection ended. */
export interface Link {
	readonly state: 'linked' | 'ended';
	readonly way: 'app' | 'phone';
	readonly person: PersonId | null;
	/** Of the codes. */
	readonly epoch: number;
	readonly at: number;
}

/** What is known of a person's account. */
export interface Holder {
	readonly username: string;
	readonly name: string;
	readonly account: string;
	readonly language: 'en' | 'ar';
	/** E.164; null where none was proved. */
	readonly phone: string | null;
}

/** The ledger's row under its lock, made where there is none: one at a time for each ledger. */
export async function lockGuard(tx: Transaction, name: LedgerName): Promise<Guard> {
	const { business, ledger } = name;
	await tx.insert(ledgerGuard).values({ business, ledger }).onConflictDoNothing();
	const rows = tx.select().from(ledgerGuard).where(ofLedger(ledgerGuard, name));
	const [guard] = await rows.for('update');
	assert(guard !== undefined, 'a row that was made is there');
	return guard;
}

export async function readLink(executor: Executor, name: LedgerName): Promise<Link | undefined> {
	const [row] = await executor.select().from(ledgerLink).where(ofLedger(ledgerLink, name));
	return row === undefined ? undefined : linkOf(row);
}

/** The ledger at this business that the person is linked to now. */
export async function readLinkedLedger(
	executor: Executor,
	{ business, person: who }: { readonly business: BusinessId; readonly person: PersonId }
): Promise<string | undefined> {
	const [row] = await executor
		.select({ ledger: ledgerLink.ledger })
		.from(ledgerLink)
		.where(
			and(
				eq(ledgerLink.business, business),
				eq(ledgerLink.person, who),
				eq(ledgerLink.state, 'linked')
			)
		);
	return row?.ledger;
}

export async function readHolder(executor: Executor, who: PersonId): Promise<Holder> {
	const [row] = await executor
		.select({ account, ownName: personDetail.name })
		.from(person)
		.innerJoin(account, eq(account.account, person.account))
		.leftJoin(personDetail, eq(personDetail.person, person.person))
		.where(eq(person.person, who));
	assert(row !== undefined, 'a person has an account');
	const { username, name, account: id, language, phone, phoneProvedAt } = row.account;
	return {
		username,
		name: row.ownName ?? name,
		account: id,
		language,
		phone: phoneProvedAt === null ? null : phone
	};
}

/** E.164: the number that was proved for a ledger, or by who is linked to it; null where none was. */
export async function numberBehind(
	executor: Executor,
	{ guard, link }: { readonly guard: Pick<Guard, 'phone'>; readonly link: Link }
): Promise<string | null> {
	return link.person === null ? guard.phone : (await readHolder(executor, link.person)).phone;
}

/** Rows of one ledger, in a table that has the business first. */
export function ofLedger(
	table: { readonly business: PgColumn; readonly ledger: PgColumn },
	{ business, ledger }: LedgerName
): SQL | undefined {
	return and(eq(table.business, business), eq(table.ledger, ledger));
}

function linkOf({ state, way, epoch, at, person: who }: typeof ledgerLink.$inferSelect): Link {
	return { state, way, epoch, at, person: who === null ? null : personIn(who) };
}

/** A person's UUID as a row holds it. */
export function personIn(uuid: string): PersonId {
	const parsed = parsePersonId(uuid);
	assert(parsed.ok, 'a row holds a person');
	return parsed.value;
}

export function ledgerIn(uuid: string): LedgerId {
	const parsed = parseLedgerId(uuid);
	assert(parsed.ok, 'a row holds a ledger');
	return parsed.value;
}

export function businessIn(uuid: string): BusinessId {
	const parsed = parseBusinessId(uuid);
	assert(parsed.ok, 'a row holds a business');
	return parsed.value;
}
