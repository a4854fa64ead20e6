import { unreachable } from '#domain/assert.ts';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import type { Notice, RecordStanding } from '#domain/person/view.ts';
import type { MeMoney } from '#ui/me-money.svelte.ts';
import type { Words } from '#ui/words.svelte.ts';
import { dateWords, dayAt } from './days.ts';
import { recordPath, saysKey } from './me-words.ts';

export interface NoticeShown {
	readonly text: string;
	/** What the shop wrote with it. */
	readonly note?: string;
	/** Where it leads. */
	readonly href?: string;
	/** Whether the person has something to do about it. */
	readonly isToDo: boolean;
	readonly look: 'answer' | 'agreed' | 'disputed' | 'alarm' | 'due' | 'paid' | 'connection';
}

interface NoticeWords {
	readonly words: Words;
	readonly money: MeMoney;
	/** `2026-11-20`. */
	readonly today: string;
	/** How the record that a notice names stands now. */
	readonly standingOf: (h: string) => RecordStanding['kind'] | undefined;
}

/** A notice as its person reads it. */
export function noticeShown(notice: Notice, of: NoticeWords): NoticeShown {
	switch (notice.kind) {
		case 'connectionAsked':
		case 'connectionAnswered':
		case 'connected':
		case 'connectionEnded':
			return connectionShown(notice, of);
		case 'broughtToAnswer':
			return broughtShown(notice, of);
		case 'wrongCode':
		case 'codeNotTaken':
		case 'codesRunningOut':
			return codesShown(notice, of);
		default:
			return recordShown(notice, of);
	}
}

type Of<Kind extends Notice['kind']> = Extract<Notice, { readonly kind: Kind }>;
type ConnectionNotice = Extract<
	Notice,
	{ readonly kind: 'connectionAsked' | 'connectionAnswered' | 'connected' | 'connectionEnded' }
>;
type CodesNotice = Of<'wrongCode'> | Of<'codeNotTaken'> | Of<'codesRunningOut'>;
type RecordNotice = Exclude<Notice, ConnectionNotice | CodesNotice | Of<'broughtToAnswer'>>;

const ENDED = {
	shop: 'me.notice.ended.shop',
	customer: 'me.notice.ended.customer',
	nobody: 'me.notice.ended.lost'
} as const;

function connectionShown(notice: ConnectionNotice, { words }: NoticeWords): NoticeShown {
	const plain = { isToDo: false, look: 'connection' } as const;
	if (notice.kind === 'connectionAsked') {
		const text = words.say('me.notice.connectionAsked', { shop: notice.ask.shop });
		return { text, href: '/me/find', isToDo: notice.ask.state === 'asked', look: 'connection' };
	}
	if (notice.kind === 'connectionAnswered') {
		const key = notice.ask.state === 'declined' ? 'me.notice.declined' : 'me.notice.accepted';
		return { ...plain, text: words.say(key, { shop: notice.ask.shop }) };
	}
	const shop = nameOf(notice, words);
	const href = `/me/shop/${notice.shop.id}`;
	if (notice.kind === 'connected')
		return { ...plain, href, text: words.say('me.notice.connected', { shop }) };
	return { ...plain, href, text: words.say(ENDED[notice.by ?? 'nobody'], { shop }) };
}

function broughtShown(notice: Of<'broughtToAnswer'>, { words }: NoticeWords): NoticeShown {
	const { count } = notice;
	const text = words.say('me.notice.brought', { shop: nameOf(notice, words), count });
	return { text, href: `/me/shop/${notice.shop.id}`, isToDo: true, look: 'answer' };
}

function codesShown(notice: CodesNotice, { words }: NoticeWords): NoticeShown {
	const shop = nameOf(notice, words);
	const href = `/me/codes?shop=${encodeURIComponent(notice.shop.id)}`;
	const alarm = { href, isToDo: true, look: 'alarm' } as const;
	if (notice.kind === 'codesRunningOut')
		return { ...alarm, text: words.say('me.notice.codesRunningOut', { left: notice.left, shop }) };
	if (notice.kind === 'codeNotTaken')
		return {
			...alarm,
			isToDo: false,
			text: words.say(`me.notice.codeNotTaken.${notice.why}`, { shop })
		};
	const text = notice.isLocked
		? words.say('me.notice.locked', { shop })
		: words.say('me.notice.wrongCode', { shop, count: notice.wrong });
	return { ...alarm, text };
}

function recordShown(notice: RecordNotice, of: NoticeWords): NoticeShown {
	const { words, money, today } = of;
	const { record } = notice;
	const shop = nameOf(notice, words);
	const amount = money.figure(record.amountMinor, record.money);
	const href = recordPath(record.h);
	const day = (at: number): string => dateWords(words, dayAt(at), today);
	const plain = { href, isToDo: false } as const;
	// What was answered since, here or at the counter, is nothing to do any more.
	const standing = of.standingOf(record.h);
	switch (notice.kind) {
		case 'toAnswer': {
			const says = words.say(saysKey({ kind: record.kind, side: 'took' }));
			const text = words.say('me.notice.says', { shop, says, amount });
			return { href, text, isToDo: standing === 'toAnswer', look: 'answer' };
		}
		case 'paymentReceived':
			return { ...plain, text: creditWords(words, record.kind, { shop, amount }), look: 'paid' };
		case 'confirmedByCode':
			return {
				...plain,
				text: words.say('me.notice.confirmedByCode', { shop, amount }),
				look: 'agreed'
			};
		case 'disputeAnswered': {
			const text = words.say(`me.notice.${notice.way}`, { shop, amount });
			const said = notice.note === '' ? {} : { note: notice.note };
			const isToDo = notice.way === 'insist' && standing === 'saidNo';
			return { href, text, ...said, isToDo, look: 'disputed' };
		}
		case 'dueMoved': {
			const text = words.say('me.notice.dueMoved', { shop, amount, day: day(notice.dueMs) });
			return { ...plain, text, look: 'due' };
		}
		case 'dueSoon':
		case 'overdue': {
			const text = words.say(`me.notice.${notice.kind}`, { shop, amount, day: day(notice.at) });
			return { href, text, isToDo: true, look: 'due' };
		}
		default:
			return unreachable(notice);
	}
}

/** A payment that the shop wrote, or what it took off or forgave. */
function creditWords(
	words: Words,
	kind: RecordKind,
	{ shop, amount }: { readonly shop: string; readonly amount: string }
): string {
	if (kind !== 'credit' && kind !== 'forgiveness')
		return words.say('me.notice.paymentReceived', { shop, amount });
	return words.say('me.notice.says', {
		shop,
		says: words.say(saysKey({ kind, side: 'paid' })),
		amount
	});
}

function nameOf({ shop }: { readonly shop: { readonly name: string } }, words: Words): string {
	return shop.name === '' ? words.say('me.shopUnnamed') : shop.name;
}
