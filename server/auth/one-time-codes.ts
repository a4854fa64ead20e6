import { createHmac } from 'node:crypto';
import { and, between, count, eq, gt, sql } from 'drizzle-orm';
import { generateSync, verifySync } from 'otplib';
import { CODE_MS, parseOneTimeCode, PAUSES_MS } from '#domain/account/one-time-code.ts';
import { assert } from '#domain/assert.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { message, oneTimeCode } from '#server/database/messages.ts';
import type { Executor, Transaction } from '#server/database/transaction.ts';
import type { Channel } from '#server/gateways/message-gateway.ts';
import { queueMessage } from '#server/gateways/message-queue.ts';
import { codeSubject, codeText, type CodePurpose, type MessageLanguage } from './code-words.ts';
import type { Random } from './random.ts';
import { sweepExpired } from './sweep.ts';

/** Which code: `subject` is whatever the purpose counts by, such as an account or `ledger:…/…`. */
export interface CodeName {
	readonly purpose: CodePurpose;
	readonly subject: string;
}

export interface CodeAddress {
	readonly channel: Channel;
	/** E.164, or an e-mail address. */
	readonly address: string;
}

export interface CodeDelivery extends CodeName {
	readonly to: CodeAddress;
	readonly language: MessageLanguage;
	/** The shop that asks, where one does. */
	readonly shop?: string;
	readonly username?: string;
	/** Asked by a device of the person's own: other people's asking does not hold it up. */
	readonly isTrusted?: boolean;
}

/** What one may say on a screen of a code that was sent. */
export interface SentCode {
	readonly to: CodeAddress | undefined;
	readonly sendsLeft: number;
	/** UTC ms. */
	readonly expiresAt: number;
	/** When it may be sent again, UTC ms; past `sendsLeft` it may not. */
	readonly againAt: number;
	readonly triesLeft: number;
}

export interface IssueRefusal {
	readonly code: 'codeTooSoon' | 'codeSendsSpent';
	readonly retryAfterMs: number;
}

export type CheckRefusal =
	| { readonly code: 'codeWrong'; readonly triesLeft: number }
	/** No code is alive: too late, never sent, or used. */
	| { readonly code: 'codeExpired' }
	/** Tried too often; another may be sent. */
	| { readonly code: 'codeSpent' };

/** Codes that prove an address: HOTP (RFC 4226) of six digits, sent by message. */
export interface OneTimeCodes {
	/**
	 * Makes a new code and queues its message; the one before ends. Refused before its pause is
	 * over, and after the third until an hour has passed since the first.
	 */
	issueCode(tx: Transaction, delivery: CodeDelivery): Promise<Result<SentCode, IssueRefusal>>;
	/**
	 * The first half of it: does the same and says the same where there is nobody to send it to. The code
	 * before ends with the second half, for that may send none.
	 */
	prepareCode(tx: Transaction, name: CodeName): Promise<Result<SentCode, IssueRefusal>>;
	/** The second half: queues the message of a code that was prepared. False where its address has had too many. */
	deliverCode(tx: Transaction, delivery: CodeDelivery): Promise<boolean>;
	/**
	 * Tries a code. Commit the transaction whatever is answered: a wrong try counts. A right one is
	 * used by that, and of two at the same instant one is.
	 */
	checkCode(
		tx: Transaction,
		tried: CodeName & { readonly code: string }
	): Promise<Result<CodeAddress, CheckRefusal>>;
	/** The code that is alive, for a screen that comes back; undefined where none is. */
	findCode(executor: Executor, name: CodeName): Promise<SentCode | undefined>;
}

export interface OneTimeCodesParts {
	/** UTC ms. */
	readonly clock: () => number;
	readonly random: Pick<Random, 'uuid'>;
	/** 32 bytes; who has it and the table knows every code. */
	readonly key: Uint8Array;
}

export const TRIES_MAX = 5;
export const SENDS_MAX = 3;
/** After the first of three messages so much passes before a fourth. */
export const SENDS_WITHIN_MS = 3_600_000;
/** Codes that one address gets in an hour, whoever asks for them. */
export const SENDS_TO_ONE_MAX = 12;
const SECRET_BYTES = 20;

type Row = typeof oneTimeCode.$inferSelect;

export function createOneTimeCodes(parts: OneTimeCodesParts): OneTimeCodes {
	const { clock } = parts;
	return {
		async issueCode(tx, delivery) {
			const row = await lockedRow(tx, parts, delivery);
			const isOther =
				row.recipient !== null &&
				(row.recipient !== delivery.to.address || row.channel !== delivery.to.channel);
			// Before it moves on: a code that is not sent must not end the one that was.
			if (await isHeldUp(tx, parts, delivery))
				return err({ code: 'codeSendsSpent', retryAfterMs: SENDS_WITHIN_MS });
			const sent = await send(tx, parts, { row, isOther });
			if (!sent.ok) return sent;
			await deliver(tx, parts, { row: sent.value, delivery });
			return ok({ ...sentCode(sent.value), to: delivery.to });
		},
		async prepareCode(tx, name) {
			const row = await lockedRow(tx, parts, name);
			const sent = await send(tx, parts, { row, isOther: false });
			return sent.ok ? ok(sentCode(sent.value)) : sent;
		},
		async deliverCode(tx, delivery) {
			const row = await lockedRow(tx, parts, delivery);
			if (await isHeldUp(tx, parts, delivery)) return false;
			await deliver(tx, parts, { row, delivery });
			return true;
		},
		async checkCode(tx, tried) {
			const [row] = await tx.select().from(oneTimeCode).where(named(tried)).for('update');
			return check(tx, parts, { row, typed: tried.code });
		},
		async findCode(executor, name) {
			const [row] = await executor.select().from(oneTimeCode).where(named(name));
			return row === undefined || !isAlive(row, clock()) ? undefined : sentCode(row);
		}
	};
}

function named({ purpose, subject }: CodeName): ReturnType<typeof and> {
	return and(eq(oneTimeCode.purpose, purpose), eq(oneTimeCode.subject, subject));
}

/** The code's row under its lock, made where there is none yet. */
async function lockedRow(
	tx: Transaction,
	{ clock, random }: OneTimeCodesParts,
	{ purpose, subject }: CodeName
): Promise<Row> {
	const now = clock();
	const column = oneTimeCode.expiresAt;
	await sweepExpired(tx, oneTimeCode, { column, before: now - SENDS_WITHIN_MS });
	const never = { sends: 0, tries: 0, firstSentAt: 0, sentAt: 0, expiresAt: now };
	await tx
		.insert(oneTimeCode)
		.values({ purpose, subject, serial: random.uuid(), ...never })
		.onConflictDoNothing();
	const name = named({ purpose, subject });
	const [row] = await tx.select().from(oneTimeCode).where(name).for('update');
	assert(row !== undefined, 'a row that was made under a lock is there');
	return row;
}

/** Counts the next code, where that may be sent by now; the one before stays what it was. */
async function send(
	tx: Transaction,
	{ clock }: OneTimeCodesParts,
	{ row, isOther }: { readonly row: Row; readonly isOther: boolean }
): Promise<Result<Row, IssueRefusal>> {
	const now = clock();
	// A clock may be set back.
	const isOver = Math.abs(now - row.firstSentAt) >= SENDS_WITHIN_MS;
	const isAnew = isOther || row.usedAt !== null || isOver;
	if (!isAnew && row.sends >= SENDS_MAX) {
		const retryAfterMs = row.firstSentAt + SENDS_WITHIN_MS - now;
		return err({ code: 'codeSendsSpent', retryAfterMs });
	}
	const againAt = againAtOf(row);
	if (!isAnew && now < againAt) return err({ code: 'codeTooSoon', retryAfterMs: againAt - now });
	const sends = isAnew ? 1 : row.sends + 1;
	const [moved] = await tx
		.update(oneTimeCode)
		.set({
			sends,
			tries: 0,
			sentAt: now,
			firstSentAt: isAnew ? now : row.firstSentAt,
			expiresAt: now + CODE_MS,
			usedAt: null
		})
		.where(named({ purpose: row.purpose as CodePurpose, subject: row.subject }))
		.returning();
	assert(moved !== undefined, 'a row under our lock stays');
	return ok(moved);
}

/** Makes the code and queues its message; the one before ends. */
async function deliver(
	tx: Transaction,
	parts: OneTimeCodesParts,
	{ row, delivery }: { readonly row: Row; readonly delivery: CodeDelivery }
): Promise<void> {
	const { to, language } = delivery;
	const serial = parts.random.uuid();
	await tx
		.update(oneTimeCode)
		.set({ serial, serialTries: 0, channel: to.channel, recipient: to.address })
		.where(named(delivery));
	await queueMessage(tx, {
		channel: to.channel,
		to: to.address,
		text: codeText({ ...delivery, code: codeOf(parts, serial) }),
		...(to.channel === 'email' ? { subject: codeSubject(language) } : {}),
		key: messageKey(serial),
		secret: true,
		expiresAt: row.expiresAt,
		at: parts.clock()
	});
}

/**
 * Whether its address has had too many, and who asks is not known to be its holder. However it is written: a
 * number is in E.164, and letters in an e-mail's go to one box in capitals too.
 */
async function isHeldUp(
	tx: Transaction,
	{ clock }: OneTimeCodesParts,
	{ to: { channel, address }, isTrusted }: CodeDelivery
): Promise<boolean> {
	if (isTrusted === true) return false;
	// Of many who ask at once each counts what those before him got.
	await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(lower(${address}), 0))`);
	const isSame =
		channel === 'sms'
			? eq(message.recipient, address)
			: sql`lower(${message.recipient}) = lower(${address})`;
	const now = clock();
	const lately = between(message.createdAt, now - SENDS_WITHIN_MS + 1, now + SENDS_WITHIN_MS);
	const codes = and(isSame, eq(message.isSecret, true), lately);
	const [sent] = await tx.select({ n: count() }).from(message).where(codes);
	return sent !== undefined && sent.n >= SENDS_TO_ONE_MAX;
}

async function check(
	tx: Transaction,
	parts: OneTimeCodesParts,
	{ row, typed }: { readonly row: Row | undefined; readonly typed: string }
): Promise<Result<CodeAddress, CheckRefusal>> {
	if (row === undefined || !isAlive(row, parts.clock())) return err({ code: 'codeExpired' });
	if (row.tries >= TRIES_MAX) return err({ code: 'codeSpent' });
	const code = parseOneTimeCode(typed);
	// Nothing was tried with what is no code at all.
	if (!code.ok) return err({ code: 'codeWrong', triesLeft: TRIES_MAX - row.tries });

	const name = named({ purpose: row.purpose as CodePurpose, subject: row.subject });
	const { valid } = verifySync({ ...hotpOf(parts, row.serial), token: code.value });
	const isGood = await isStillGood(tx, parts, row);
	const { channel, recipient: address } = row;
	// Answered alike, or it would say that the next one was sent to nobody.
	if (!valid || !isGood || channel === null || address === null) {
		const [tries, serialTries] = [row.tries + 1, row.serialTries + 1];
		await tx.update(oneTimeCode).set({ tries, serialTries }).where(name);
		if (tries >= TRIES_MAX) return err({ code: 'codeSpent' });
		return err({ code: 'codeWrong', triesLeft: TRIES_MAX - tries });
	}
	// The row goes on with the next code: this one is nobody's any more.
	const used = { usedAt: parts.clock(), channel: null, recipient: null };
	await tx.update(oneTimeCode).set(used).where(name);
	return ok({ channel, address });
}

/** Whether the code that was sent last may still be right: one that was prepared since may not have been sent. */
async function isStillGood(
	tx: Transaction,
	{ clock }: OneTimeCodesParts,
	{ serial, serialTries }: Row
): Promise<boolean> {
	if (serialTries >= TRIES_MAX) return false;
	const sent = and(eq(message.key, messageKey(serial)), gt(message.expiresAt, clock()));
	return (await tx.select({ key: message.key }).from(message).where(sent)).length > 0;
}

function messageKey(serial: string): string {
	return `code/${serial}`;
}

function isAlive(row: Row, now: number): boolean {
	return row.usedAt === null && row.sends > 0 && now < row.expiresAt;
}

function sentCode(row: Row): SentCode {
	const { channel, recipient: address, sends, tries, expiresAt } = row;
	return {
		to: channel === null || address === null ? undefined : { channel, address },
		sendsLeft: SENDS_MAX - sends,
		triesLeft: TRIES_MAX - tries,
		expiresAt,
		againAt: againAtOf(row)
	};
}

function againAtOf({ sends, sentAt }: Row): number {
	return sends === 0 ? 0 : sentAt + (PAUSES_MS[Math.min(sends, PAUSES_MS.length) - 1] ?? 0);
}

function codeOf(parts: OneTimeCodesParts, serial: string): string {
	return generateSync(hotpOf(parts, serial));
}

interface Hotp {
	readonly strategy: 'hotp';
	readonly secret: Uint8Array;
	readonly counter: number;
}

/** Its secret is of this message alone, and makes one code. */
function hotpOf({ key }: OneTimeCodesParts, serial: string): Hotp {
	const mac = createHmac('sha256', key).update(serial).digest();
	return {
		strategy: 'hotp',
		secret: new Uint8Array(mac.subarray(0, SECRET_BYTES)),
		counter: 1
	};
}
