import { and, count, desc, eq, gt } from 'drizzle-orm';
import { assert } from '#domain/assert.ts';
import type { Username } from '#domain/account/username.ts';
import type { BusinessId, DeviceCode, LedgerId, PersonId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { account } from '#server/database/accounts.ts';
import { connectionAsk } from '#server/database/ledgers.ts';
import type { Executor, Transaction } from '#server/database/transaction.ts';
import { commitAct, type Act } from './act.ts';
import { businessIn, ledgerIn, personIn, readHolder, readLink, readLinkedLedger } from './guard.ts';
import type { LedgerParts } from './ledger-parts.ts';
import { linkLedger, type LinkRefusal } from './linking.ts';
import { isOfRemoved, wasOfAnother } from './of-another.ts';
import { findBusiness, readShop } from './shops.ts';

export type AskRefusal =
	| 'notFound'
	| 'alreadyLinked'
	| 'alreadyAsked'
	| 'ownShop'
	| 'shopAskedOften';

/** Who asks whom. */
export type NewAsk =
	| {
			readonly by: 'shop';
			readonly business: BusinessId;
			/** The device that asks for it. */
			readonly code: DeviceCode;
			readonly ledger: LedgerId;
			readonly username: Username;
	  }
	| { readonly by: 'customer'; readonly person: PersonId; readonly username: Username };

export type Ask = typeof connectionAsk.$inferSelect;

/** Who was declined may ask the same again after so long. */
const ASK_AGAIN_MS = 24 * 3_600_000;
/** So many customers may ask one shop within a day: each is a fact in its feed, and accounts are free. */
export const ASKS_OF_SHOP_MAX = 200;
const DAY_MS = 24 * 3_600_000;

/** Writes the ask down, and tells both sides of it. */
export function askToConnect(
	parts: LedgerParts,
	asked: NewAsk
): Promise<Result<{ readonly ask: string }, AskRefusal>> {
	return commitAct(parts, async (act) => {
		const pair = await findPair(act.tx, asked);
		if (pair === undefined) return err('notFound');
		await act.lock(pair.business, pair.person);
		const refused = await refusalOf(act, parts, { asked, pair });
		if (refused !== undefined) return err(refused);

		const ask = parts.random.uuid();
		const row = { ask, ...pair, by: asked.by, state: 'asked', createdAt: parts.clock() } as const;
		await act.tx.insert(connectionAsk).values({
			...row,
			...(asked.by === 'shop' ? { ledger: asked.ledger, code: asked.code } : { ledger: null })
		});
		await tellAsked(act, row, asked.by === 'shop' ? asked.ledger : undefined);
		return ok({ ask });
	});
}

export type Answerer =
	| { readonly side: 'shop'; readonly business: BusinessId; readonly ledger: LedgerId | undefined }
	| { readonly side: 'customer'; readonly account: string };

export interface AskAnswer {
	readonly ask: string;
	readonly isAccepted: boolean;
	readonly by: Answerer;
}

export type AnswerRefusal =
	| 'notFound'
	| 'askAnswered'
	| 'inviteOfAnother'
	| 'ledgerMissing'
	| LinkRefusal;

export interface Answered {
	readonly ledger: LedgerId | null;
	/** CONNECT-21. The device that asked was taken out of its shop: a yes links nothing, and the ask is closed. */
	readonly isEnded?: true;
}

/** The other side's yes or no; a yes links the ledger. The same answer again is the same. */
export function answerAsk(
	parts: LedgerParts,
	answer: AskAnswer
): Promise<Result<Answered, AnswerRefusal>> {
	return commitAct(parts, async (act) => {
		const ask = await lockAsk(act, answer);
		if (ask === undefined) return err('notFound');
		const state = answer.isAccepted ? 'accepted' : 'declined';
		const known = ask.ledger === null ? null : ledgerIn(ask.ledger);
		if (ask.state === state) return ok({ ledger: known });
		if (ask.state !== 'asked') return err('askAnswered');

		const pair = { business: businessIn(ask.business), person: personIn(ask.person) };
		if (answer.isAccepted && (await isOfRemoved(act.tx, ask))) {
			await closeRemoved(act, parts, { ask, pair });
			return ok({ ledger: known, isEnded: true });
		}
		return decide(act, parts, { answer, ask, pair, known });
	});
}

interface Deciding {
	readonly answer: AskAnswer;
	readonly ask: Ask;
	readonly pair: Pair;
	/** The ledger that the ask names. */
	readonly known: LedgerId | null;
}

async function decide(
	act: Act,
	parts: LedgerParts,
	{ answer, ask, pair, known }: Deciding
): Promise<Result<Answered, AnswerRefusal>> {
	const { by, isAccepted } = answer;
	const ledger = by.side === 'shop' ? (by.ledger ?? null) : known;
	const linked = isAccepted ? await linkPair(act, parts, { ask, pair, ledger }) : ok(null);
	if (!linked.ok) return linked;
	await closeAsk(act, parts, { ask, state: isAccepted ? 'accepted' : 'declined', ledger, pair });
	return ok({ ledger });
}

/** The ask under its lock, where it is this side's to answer. */
async function lockAsk({ tx }: Act, { ask: id, by }: AskAnswer): Promise<Ask | undefined> {
	const rows = tx.select().from(connectionAsk).where(eq(connectionAsk.ask, id));
	const [ask] = await rows.for('update');
	return ask !== undefined && (await isToAnswer(tx, ask, by)) ? ask : undefined;
}

async function linkPair(
	act: Act,
	parts: LedgerParts,
	{ ask, pair, ledger }: AskedPair
): Promise<Result<unknown, 'inviteOfAnother' | 'ledgerMissing' | LinkRefusal>> {
	if (ledger === null) return err('ledgerMissing');
	const name = { business: pair.business, ledger };
	// CONNECT-20. Where the customer asked, the shop names the ledger only now.
	const isOfAnother =
		ask.by === 'shop' &&
		(await wasOfAnother(act.tx, { name, createdAt: ask.createdAt }, pair.person));
	if (isOfAnother) return err('inviteOfAnother');
	return linkLedger(act, parts, { name, party: { way: 'app', person: pair.person } });
}

interface AskedPair {
	readonly ask: Ask;
	readonly pair: Pair;
	readonly ledger: LedgerId | null;
}

interface Pair {
	readonly business: BusinessId;
	readonly person: PersonId;
}

async function findPair(executor: Executor, asked: NewAsk): Promise<Pair | undefined> {
	if (asked.by === 'customer') {
		const business = await findBusiness(executor, asked.username);
		return business === undefined ? undefined : { business, person: asked.person };
	}
	const [row] = await executor
		.select({ person: account.person })
		.from(account)
		.where(and(eq(account.username, asked.username), eq(account.kind, 'customer')));
	return row === undefined ? undefined : { business: asked.business, person: personIn(row.person) };
}

async function refusalOf(
	act: Act,
	parts: LedgerParts,
	{ asked, pair }: { readonly asked: NewAsk; readonly pair: Pair }
): Promise<AskRefusal | undefined> {
	const { tx } = act;
	if ((await readLinkedLedger(tx, pair)) !== undefined) return 'alreadyLinked';
	if (await isCardTaken(tx, asked)) return 'alreadyLinked';
	const [last] = await tx
		.select()
		.from(connectionAsk)
		.where(and(eq(connectionAsk.business, pair.business), eq(connectionAsk.person, pair.person)))
		.orderBy(desc(connectionAsk.createdAt))
		.limit(1);
	if (last !== undefined && isStillHeard(last, asked.by, parts.clock())) {
		if (!(await isOfRemoved(tx, last))) return 'alreadyAsked';
		await closeRemoved(act, parts, { ask: last, pair });
	}
	return (await isAskedOften(tx, parts, { asked, pair })) ? 'shopAskedOften' : undefined;
}

/** CONNECT-22. Under the lock of the shop's feed: who ask at once are counted one after the other. */
async function isAskedOften(
	tx: Transaction,
	{ clock }: LedgerParts,
	{ asked: { by }, pair: { business } }: { readonly asked: NewAsk; readonly pair: Pair }
): Promise<boolean> {
	if (by === 'shop') return false;
	const [asked] = await tx
		.select({ count: count() })
		.from(connectionAsk)
		.where(
			and(
				eq(connectionAsk.business, business),
				eq(connectionAsk.by, 'customer'),
				gt(connectionAsk.createdAt, clock() - DAY_MS)
			)
		);
	return (asked?.count ?? 0) >= ASKS_OF_SHOP_MAX;
}

/** CONNECT-21. It gets no answer, and nobody waits for one. */
async function closeRemoved(
	act: Act,
	parts: LedgerParts,
	{ ask, pair }: Omit<AskedPair, 'ledger'>
): Promise<void> {
	if (ask.state !== 'asked') return;
	const ledger = ask.ledger === null ? null : ledgerIn(ask.ledger);
	await closeAsk(act, parts, { ask, state: 'declined', ledger, pair });
}

async function isCardTaken(executor: Executor, asked: NewAsk): Promise<boolean> {
	if (asked.by === 'customer') return false;
	const link = await readLink(executor, asked);
	return link?.state === 'linked' && link.person !== null;
}

/** It waits for its answer, or was declined so lately that asking again would be pressing. */
function isStillHeard(last: Ask, by: NewAsk['by'], now: number): boolean {
	if (last.state === 'asked') return true;
	return last.state === 'declined' && last.by === by && now < (last.answeredAt ?? 0) + ASK_AGAIN_MS;
}

/** An ask is answered by the side that did not make it. */
async function isToAnswer(executor: Executor, ask: Ask, by: Answerer): Promise<boolean> {
	if (by.side === 'shop') return ask.by === 'customer' && ask.business === by.business;
	if (ask.by !== 'shop') return false;
	return (await readHolder(executor, personIn(ask.person))).account === by.account;
}

async function tellAsked(
	act: Act,
	ask: Pair & { readonly ask: string; readonly by: 'shop' | 'customer' },
	ledger: LedgerId | undefined
): Promise<void> {
	const { business, person, by, ask: askId } = ask;
	const shop = await readShop(act.tx, business);
	const { username, name } = await readHolder(act.tx, person);
	const state = 'asked';
	await act.write(business, {
		kind: 'ask',
		askId,
		fields: { by, username, name, state, ...(ledger === undefined ? {} : { ledger }) },
		branch: null
	});
	await act.write(person, {
		kind: 'asked',
		askId,
		fields: { by, shop: shop.name, username: shop.username, business, state },
		branch: null
	});
}

async function closeAsk(
	act: Act,
	{ clock }: LedgerParts,
	closed: {
		readonly ask: Ask;
		readonly state: 'accepted' | 'declined';
		readonly ledger: LedgerId | null;
		readonly pair: Pair;
	}
): Promise<void> {
	const { ask, state, ledger, pair } = closed;
	const [row] = await act.tx
		.update(connectionAsk)
		.set({ state, ledger, answeredAt: clock() })
		.where(eq(connectionAsk.ask, ask.ask))
		.returning();
	assert(row !== undefined, 'a row under our lock stays');
	await act.lock(pair.business, pair.person);
	const askId = ask.ask;
	await act.write(pair.business, {
		kind: 'ask',
		askId,
		fields: { state, ...(ledger === null ? {} : { ledger }) },
		branch: null
	});
	await act.write(pair.person, { kind: 'asked', askId, fields: { state }, branch: null });
}
