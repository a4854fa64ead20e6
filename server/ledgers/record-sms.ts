import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { smsCode } from '#domain/confirmation/codes.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { recordKinds, type RecordKind } from '#domain/confirmation/record-kind.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { record } from '#server/database/journal.ts';
import { smsMonth, smsSend } from '#server/database/ledgers.ts';
import type { Executor } from '#server/database/transaction.ts';
import { queueMessage } from '#server/gateways/message-queue.ts';
import { commitAct, type Act } from './act.ts';
import { lockGuard, ofLedger, readHolder, readLink, type Guard, type Link } from './guard.ts';
import type { LedgerName, LedgerParts } from './ledger-parts.ts';
import { maskedPhone } from './phone-number.ts';
import { readShop, type Shop } from './shops.ts';
import { recordText, type Language } from './sms-words.ts';

/** Where messages to the customer of a ledger go, and in which language. */
export interface Reach {
	/** E.164, proved. */
	readonly phone: string;
	readonly language: Language;
}

export type ReachRefusal = 'notLinked' | 'phoneUnproved';
export type SmsRefusal =
	| 'recordUnknown'
	| 'smsOff'
	| 'smsLimit'
	| 'codeSendsSpent'
	| 'codeTooSoon'
	| ReachRefusal;

export interface SmsSent {
	/** `…678`. */
	readonly to: string;
	/** 0, 1 or 2: the counter that a claim with this code names. */
	readonly send: number;
	readonly expiresAt: number;
	readonly practice: boolean;
}

const SMS_CODE_MS = 10 * 60_000;
const SMS_SENDS_MAX = 3;
const PAUSE_MS = 20_000;

/** Sends the customer the code of one record that the relay has. */
export function sendRecordSms(
	parts: LedgerParts,
	{ name, h }: { readonly name: LedgerName; readonly h: RecordHash }
): Promise<Result<SmsSent, SmsRefusal>> {
	return commitAct(parts, async (act) => {
		const guard = await lockGuard(act.tx, name);
		const found = await findRecord(act.tx, { name, h });
		if (found === undefined) return err('recordUnknown');
		const shop = await readShop(act.tx, name.business);
		if (!shop.settings.isSmsOn) return err('smsOff');
		const link = await readLink(act.tx, name);
		const reach = await reachOf(act.tx, { guard, link, shop });
		if (!reach.ok) return reach;
		const send = await nextSend(act, parts, { name, h });
		if (!send.ok) return send;
		const { smsLimit: most } = shop.settings;
		if (!(await countMessage(act, parts, { name, most }))) return err('smsLimit');
		return ok(await write(act, parts, { name, found, shop, reach: reach.value, send: send.value }));
	});
}

/** The proved number behind a ledger, and nothing that a shop wrote down itself. */
export async function reachOf(
	executor: Executor,
	{
		guard,
		link,
		shop
	}: { readonly guard: Guard; readonly link: Link | undefined; readonly shop: Shop }
): Promise<Result<Reach, ReachRefusal>> {
	if (link?.state !== 'linked') return err('notLinked');
	if (link.person === null) {
		return guard.phone === null
			? err('phoneUnproved')
			: ok({ phone: guard.phone, language: shop.language });
	}
	const { phone, language } = await readHolder(executor, link.person);
	return phone === null ? err('phoneUnproved') : ok({ phone, language });
}

/** Counts one more message of the shop's month. False where `most` were sent. */
export async function countMessage(
	{ tx }: Act,
	{ clock }: LedgerParts,
	{ name, most }: { readonly name: LedgerName; readonly most: number }
): Promise<boolean> {
	if (most < 1) return false;
	const month = new Date(clock()).toISOString().slice(0, 7);
	const counted = await tx
		.insert(smsMonth)
		.values({ business: name.business, month, sent: 1 })
		.onConflictDoUpdate({
			target: [smsMonth.business, smsMonth.month],
			set: { sent: sql`${smsMonth.sent} + 1` },
			setWhere: lt(smsMonth.sent, most)
		})
		.returning({ sent: smsMonth.sent });
	return counted.length > 0;
}

interface FoundRecord {
	readonly h: RecordHash;
	readonly kind: RecordKind;
	readonly minor: number;
	readonly currency: string;
	readonly exponent: number;
}

async function findRecord(
	executor: Executor,
	{ name, h }: { readonly name: LedgerName; readonly h: RecordHash }
): Promise<FoundRecord | undefined> {
	const [row] = await executor
		.select()
		.from(record)
		.where(and(ofLedger(record, name), eq(record.h, h)));
	const kind = recordKinds().find((known) => known === row?.kind);
	if (row === undefined || kind === undefined) return undefined;
	return { h, kind, minor: row.amount, currency: row.currency, exponent: row.exponent };
}

async function nextSend(
	{ tx }: Act,
	{ clock }: LedgerParts,
	{ name, h }: { readonly name: LedgerName; readonly h: RecordHash }
): Promise<Result<number, SmsRefusal>> {
	const [last] = await tx
		.select()
		.from(smsSend)
		.where(and(ofLedger(smsSend, name), eq(smsSend.h, h)))
		.orderBy(desc(smsSend.send))
		.limit(1);
	if (last === undefined) return ok(0);
	if (last.send + 1 >= SMS_SENDS_MAX) return err('codeSendsSpent');
	// A clock may be set back.
	return Math.abs(clock() - last.sentAt) < PAUSE_MS ? err('codeTooSoon') : ok(last.send + 1);
}

async function write(
	{ tx }: Act,
	{ clock, smsKey, crypto, messages }: LedgerParts,
	sent: {
		readonly name: LedgerName;
		readonly found: FoundRecord;
		readonly shop: Shop;
		readonly reach: Reach;
		readonly send: number;
	}
): Promise<SmsSent> {
	const { name, found, shop, reach, send } = sent;
	const { h, kind, ...sum } = found;
	const now = clock();
	const expiresAt = now + SMS_CODE_MS;
	const place = { h, send, recipient: reach.phone, sentAt: now, expiresAt };
	await tx.insert(smsSend).values({ ...name, ...place });
	const code = await smsCode(smsKey, { h, send }, crypto);
	await queueMessage(tx, {
		channel: 'sms',
		to: reach.phone,
		text: recordText({ language: reach.language, shop: shop.name, kind, sum, h, code }),
		key: `record/${name.business}/${name.ledger}/${h}/${String(send)}`,
		secret: true,
		expiresAt,
		at: now
	});
	return {
		to: maskedPhone(reach.phone),
		send,
		expiresAt,
		practice: messages.kinds.sms === 'practice'
	};
}
