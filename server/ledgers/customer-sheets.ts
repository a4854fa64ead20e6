import type { PersonId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { WRONG_SHEETS_MAX } from '#domain/confirmation/judge.ts';
import { queueMessage } from '#server/gateways/message-queue.ts';
import { commitAct, type Act } from './act.ts';
import {
	codesOfSet,
	makeSet,
	openCounters,
	readSet,
	readUsed,
	renewEpoch,
	type SetWorth,
	type SheetSet
} from './code-sets.ts';
import { lockGuard, readLink, type Link } from './guard.ts';
import type { LedgerName, LedgerParts } from './ledger-parts.ts';
import { maskedPhone } from './phone-number.ts';
import { countMessage, reachOf, type Reach, type ReachRefusal } from './record-sms.ts';
import { readShop, type Shop } from './shops.ts';
import { listText } from './sms-words.ts';

/** A set as its person may know it; the codes are made on the phone. */
export interface NewSet extends SetWorth {
	readonly epoch: number;
	readonly issuedAt: number;
	readonly open: readonly number[];
}

/** Makes a new set for a person who is linked by account: every older code of the ledger ends. */
export function makePersonSet(
	parts: LedgerParts,
	{
		name,
		person,
		worth
	}: { readonly name: LedgerName; readonly person: PersonId; readonly worth: SetWorth }
): Promise<Result<NewSet, 'notLinked'>> {
	return commitAct(parts, async (act) => {
		await lockGuard(act.tx, name);
		const link = await readLink(act.tx, name);
		if (link?.state !== 'linked' || link.person !== person) return err('notLinked');
		const set = await replaceSet(act, parts, { name, link, worth });
		const { epoch, issuedAt } = set;
		return ok({ ...worth, epoch, issuedAt, open: openCounters(set, []) });
	});
}

export interface ListSent {
	/** `…678`. */
	readonly to: string;
	readonly codes: number;
	readonly practice: boolean;
}

export type PersonListRefusal = ReachRefusal | 'noSet' | 'smsOff' | 'smsLimit';

/** CODES-4. Sends the person the open codes of the set in force, to the proved number. */
export function sendPersonList(
	parts: LedgerParts,
	{ name, person }: { readonly name: LedgerName; readonly person: PersonId }
): Promise<Result<ListSent, PersonListRefusal>> {
	return commitAct(parts, async (act) => {
		const guard = await lockGuard(act.tx, name);
		const link = await readLink(act.tx, name);
		if (link?.state !== 'linked' || link.person !== person) return err('notLinked');
		const set = await readSet(act.tx, { ...name, epoch: link.epoch });
		if (set === undefined) return err('noSet');
		const shop = await readShop(act.tx, name.business);
		if (!shop.settings.isSmsOn) return err('smsOff');
		const reach = await reachOf(act.tx, { guard, link, shop });
		if (!reach.ok) return reach;
		const most = Math.floor(shop.settings.smsLimit / OF_CUSTOMERS);
		return sendList(act, parts, { name, set, shop, reach: reach.value, most });
	});
}

/** The shop pays for what its customers ask for: of its messages of a month the other half is its own. */
const OF_CUSTOMERS = 2;

export type ShopListRefusal = ReachRefusal | 'smsOff' | 'smsLimit' | 'codesLocked';

/**
 * Makes a new set for a ledger that is linked by phone and sends it to the number alone. Codes that
 * wrong ones locked stay so until the number is proved again: a shop that guesses cannot go on.
 */
export function sendShopList(
	parts: LedgerParts,
	{ name, worth }: { readonly name: LedgerName; readonly worth: SetWorth }
): Promise<Result<ListSent, ShopListRefusal>> {
	return commitAct(parts, async (act) => {
		const guard = await lockGuard(act.tx, name);
		const link = await readLink(act.tx, name);
		if (link?.state !== 'linked' || link.person !== null) return err('notLinked');
		if (guard.sheetWrong >= WRONG_SHEETS_MAX) return err('codesLocked');
		const shop = await readShop(act.tx, name.business);
		if (!shop.settings.isSmsOn) return err('smsOff');
		const reach = await reachOf(act.tx, { guard, link, shop });
		if (!reach.ok) return reach;
		const set = await replaceSet(act, parts, { name, link, worth });
		const { smsLimit: most } = shop.settings;
		return sendList(act, parts, { name, set, shop, reach: reach.value, most });
	});
}

async function replaceSet(
	act: Act,
	parts: LedgerParts,
	{
		name,
		link,
		worth
	}: { readonly name: LedgerName; readonly link: Link; readonly worth: SetWorth }
): Promise<SheetSet> {
	const { person } = link;
	// Else a shop would guess twice, ask for a list, and guess on.
	const keepsWrong = person === null;
	await act.lock(name.business, ...(person === null ? [] : [person]));
	const epoch = await renewEpoch(act, parts, { name, link, keepsWrong });
	return makeSet(act, parts, { name, link: { ...link, epoch }, worth });
}

async function sendList(
	act: Act,
	parts: LedgerParts,
	sent: {
		readonly name: LedgerName;
		readonly set: SheetSet;
		readonly shop: Shop;
		readonly reach: Reach;
		/** Messages of the shop's month after which none is sent. */
		readonly most: number;
	}
): Promise<Result<ListSent, 'smsLimit'>> {
	const { name, set, shop, reach, most } = sent;
	if (!(await countMessage(act, parts, { name, most }))) return err('smsLimit');
	const open = openCounters(set, await readUsed(act.tx, set));
	const codes = await codesOfSet(act.tx, parts, { set, open });
	const { cap: minor, currency, exponent } = set;
	const at = parts.clock();
	await queueMessage(act.tx, {
		channel: 'sms',
		to: reach.phone,
		text: listText({
			language: reach.language,
			shop: shop.name,
			cap: { minor, currency, exponent },
			codes
		}),
		key: `list/${name.business}/${name.ledger}/${String(set.epoch)}/${String(at)}`,
		secret: true,
		at
	});
	const practice = parts.messages.kinds.sms === 'practice';
	return ok({ to: maskedPhone(reach.phone), codes: codes.length, practice });
}
