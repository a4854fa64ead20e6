import { err, ok, type Result } from '#domain/result.ts';
import type {
	CheckRefusal,
	CodeName,
	IssueRefusal,
	SentCode
} from '#server/auth/one-time-codes.ts';
import { phoneChange } from '#server/database/ledgers.ts';
import { commitAct, commitWhatever, type Act } from './act.ts';
import { lockGuard, ofLedger, readLink, type Guard, type Link } from './guard.ts';
import type { LedgerName, LedgerParts } from './ledger-parts.ts';
import { forgetNumber, isNumberKept, linkLedger, NUMBER_KEPT_MS } from './linking.ts';
import { maskedPhone } from './phone-number.ts';
import { readShop } from './shops.ts';

/** A code that went to a number, and what the shop may know of it. */
export interface PhoneAsked {
	/** `old`: another number was proved here, and the code went to that one. */
	readonly needs: 'code' | 'oldCode';
	/** `…678`. */
	readonly to: string;
	/** Which of three, from 1. */
	readonly send: number;
	readonly triesLeft: number;
	readonly expiresAt: number;
	/** When it may be sent again. */
	readonly againAt: number;
	/** No gateway is set up: the message lies in the practice outbox. */
	readonly practice: boolean;
	/** When the old number need not be asked any more; of `oldCode` alone. */
	readonly waitUntil?: number;
}

export type PhoneRefusal = { readonly code: 'alreadyLinked' } | IssueRefusal;

const SENDS = 3;

/**
 * Begins to prove a number for a ledger: a code goes there. Where another number was proved, the
 * code goes to that one, until it was asked for a week ago.
 */
export function askPhone(
	parts: LedgerParts,
	{ name, phone }: { readonly name: LedgerName; readonly phone: string }
): Promise<Result<PhoneAsked, PhoneRefusal>> {
	return commitAct(parts, async (act) => {
		const guard = await lockGuard(act.tx, name);
		const link = await readLink(act.tx, name);
		if (link?.state === 'linked' && link.person !== null) return err({ code: 'alreadyLinked' });
		const isOther = guard.phone !== null && guard.phone !== phone;
		if (!isOther || !isNumberKept(guard, link, parts.clock())) {
			return sendCode(act, parts, { name, phone, purpose: 'linkByPhone' });
		}
		return askOther(act, parts, { name, phone, guard, link });
	});
}

export type ConfirmRefusal = CheckRefusal | { readonly code: 'alreadyLinked' };

/** Takes the code that came back from the new number, and links the ledger by phone. */
export function confirmPhone(
	parts: LedgerParts,
	{ name, code }: { readonly name: LedgerName; readonly code: string }
): Promise<Result<{ readonly to: string }, ConfirmRefusal>> {
	return commitWhatever<Result<{ readonly to: string }, ConfirmRefusal>>(parts, async (act) => {
		// Before the code's own row, as whoever asks for one does.
		await lockGuard(act.tx, name);
		const checked = await parts.codes.checkCode(act.tx, { ...named('linkByPhone', name), code });
		if (!checked.ok) return checked;
		const party = { way: 'phone', phone: checked.value.address } as const;
		const linked = await linkLedger(act, parts, { name, party });
		const to = maskedPhone(party.phone);
		return linked.ok ? ok({ to }) : err({ code: 'alreadyLinked' });
	});
}

/** Takes the code that came back from the old number, and lets go of it. */
export function confirmOldPhone(
	parts: LedgerParts,
	{ name, code }: { readonly name: LedgerName; readonly code: string }
): Promise<Result<null, CheckRefusal>> {
	return commitWhatever<Result<null, CheckRefusal>>(parts, async (act) => {
		await lockGuard(act.tx, name);
		const checked = await parts.codes.checkCode(act.tx, { ...named('changePhone', name), code });
		if (!checked.ok) return checked;
		await letGo(act, parts, name);
		return ok(null);
	});
}

interface OtherAsked {
	readonly name: LedgerName;
	readonly phone: string;
	readonly guard: Guard;
	readonly link: Link | undefined;
}

/** The old number is told at once, so that it can object; a week later it has had its say. */
async function askOther(
	act: Act,
	parts: LedgerParts,
	{ name, phone, guard, link }: OtherAsked
): Promise<Result<PhoneAsked, PhoneRefusal>> {
	const now = parts.clock();
	const [known] = await act.tx.select().from(phoneChange).where(ofLedger(phoneChange, name));
	const isSame = known?.phone === phone;
	if (isSame && now >= known.askedAt + NUMBER_KEPT_MS) {
		await letGo(act, parts, name);
		return sendCode(act, parts, { name, phone, purpose: 'linkByPhone' });
	}
	const askedAt = isSame ? known.askedAt : now;
	await act.tx
		.insert(phoneChange)
		.values({ ...name, phone, askedAt })
		.onConflictDoUpdate({
			target: [phoneChange.business, phoneChange.ledger],
			set: { phone, askedAt }
		});
	const old = guard.phone ?? '';
	const sent = await sendCode(act, parts, { name, phone: old, purpose: 'changePhone' });
	if (!sent.ok) return sent;
	const ended = link?.state === 'ended' ? link.at : Infinity;
	const waitUntil = Math.min(askedAt, ended) + NUMBER_KEPT_MS;
	return ok({ ...sent.value, needs: 'oldCode', waitUntil });
}

async function letGo(act: Act, parts: LedgerParts, name: LedgerName): Promise<void> {
	await act.tx.delete(phoneChange).where(ofLedger(phoneChange, name));
	await forgetNumber(act, parts, name);
}

async function sendCode(
	act: Act,
	parts: LedgerParts,
	sent: {
		readonly name: LedgerName;
		readonly phone: string;
		readonly purpose: 'linkByPhone' | 'changePhone';
	}
): Promise<Result<PhoneAsked, IssueRefusal>> {
	const { name, phone, purpose } = sent;
	const shop = await readShop(act.tx, name.business);
	const issued = await parts.codes.issueCode(act.tx, {
		...named(purpose, name),
		to: { channel: 'sms', address: phone },
		language: shop.language,
		shop: shop.name
	});
	return issued.ok ? ok(askedOf(parts, issued.value, phone)) : issued;
}

function askedOf({ messages }: LedgerParts, sent: SentCode, phone: string): PhoneAsked {
	return {
		needs: 'code',
		to: maskedPhone(phone),
		send: SENDS - sent.sendsLeft,
		triesLeft: sent.triesLeft,
		expiresAt: sent.expiresAt,
		againAt: sent.againAt,
		practice: messages.kinds.sms === 'practice'
	};
}

function named(purpose: 'linkByPhone' | 'changePhone', name: LedgerName): CodeName {
	return { purpose, subject: `ledger:${name.business}/${name.ledger}` };
}
