import type { RecordRow } from '#state/ledger-book.ts';
import type { ShopNotice, ShopNoticeKind } from '#state/ledger-views.ts';
import type { MarkState } from '#ui/ledger-mark.ts';
import { reasonWords } from '#ui/ledger-mark.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';
import { moneyOf, troubleWords } from '../customers/[ledger]/thread-words.ts';

/** A notice as it is read: what happened, in whose words, and where one goes for it. */
export interface NoticeShown {
	readonly said: string;
	readonly note: string;
	/** Which sign stands before it. */
	readonly tone: MarkState | 'late' | 'got' | undefined;
	/** Something is to be done. */
	readonly isTask: boolean;
	/** Where it is done or looked at; undefined where there is nowhere to go. */
	readonly href: string | undefined;
}

/** What each kind is called where kinds are chosen. A kind without words does not compile. */
export const KIND_WORDS: Readonly<Record<ShopNoticeKind, MessageKey>> = {
	connectionAsked: 'kind.connectionAsked',
	connectionAnswered: 'kind.connectionAnswered',
	connected: 'kind.connected',
	connectionEnded: 'kind.connectionEnded',
	accepted: 'kind.accepted',
	dropped: 'kind.dropped',
	cancelled: 'kind.cancelled',
	confirmedByCode: 'kind.confirmedByCode',
	wrongCode: 'kind.wrongCode',
	codeNotTaken: 'kind.codeNotTaken',
	codesRunningOut: 'kind.codesRunningOut',
	overdue: 'kind.overdue',
	dueToday: 'kind.dueToday',
	promiseBroken: 'kind.promiseBroken',
	newDevice: 'kind.newDevice',
	tookOver: 'kind.tookOver'
};

export const NOTICE_KINDS = Object.keys(KIND_WORDS) as readonly ShopNoticeKind[];

const TONES: Readonly<Record<ShopNoticeKind, NoticeShown['tone']>> = {
	connectionAsked: undefined,
	connectionAnswered: undefined,
	connected: 'agreed',
	connectionEnded: undefined,
	accepted: 'agreed',
	dropped: 'agreed',
	cancelled: 'disputed',
	confirmedByCode: 'agreed',
	wrongCode: 'late',
	codeNotTaken: 'late',
	codesRunningOut: 'evidence',
	overdue: 'late',
	dueToday: 'sent',
	promiseBroken: 'late',
	newDevice: undefined,
	tookOver: undefined
};

/** What the shop reads of a notice. */
export function noticeShown(words: Words, notice: ShopNotice): NoticeShown {
	const { ledger, kind } = notice;
	const home = ledger === undefined ? undefined : `/shop/customers/${ledger}`;
	const record = 'record' in notice ? notice.record : undefined;
	const line = record === undefined || home === undefined ? home : `${home}/record/${record.h}`;
	const isToAnswer = kind === 'cancelled' && notice.isOpen;
	return {
		said: saidOf(words, notice),
		note: noteOf(words, notice),
		tone: TONES[kind],
		isTask: isTask(notice),
		href: isToAnswer && line !== undefined ? `${line}?answer` : (line ?? roomOf(kind))
	};
}

function isTask(notice: ShopNotice): boolean {
	if (notice.kind === 'connectionAsked')
		return notice.ask.by === 'customer' && notice.ask.state === 'asked';
	// What was answered since, or taken back, is nothing to do any more.
	return 'isOpen' in notice && notice.isOpen;
}

function roomOf(kind: ShopNoticeKind): string | undefined {
	return kind === 'newDevice' || kind === 'tookOver' ? '/shop/more/devices' : undefined;
}

type Of<Kind extends ShopNoticeKind> = Extract<ShopNotice, { readonly kind: Kind }>;

function saidOf(words: Words, notice: ShopNotice): string {
	if (isOfConnection(notice)) return connectionWords(words, notice);
	if (isOfDay(notice)) {
		const money = moneyOf(words, notice) ?? words.money;
		const amount = words.amountWithCurrency(notice.minor, money);
		return words.say(OF_DAY[notice.kind], { name: notice.name, amount });
	}
	if (isOfCodes(notice)) return codesWords(words, notice);
	if (notice.kind === 'newDevice') return words.say('notice.newDevice', { device: notice.device });
	if (notice.kind === 'tookOver') {
		const { device, from } = notice;
		return words.say('notice.tookOver', { device, from });
	}
	return recordWords(words, notice, notice.record);
}

const CONNECTION = new Set<ShopNoticeKind>([
	'connectionAsked',
	'connectionAnswered',
	'connected',
	'connectionEnded'
]);
type ConnectionKind = 'connectionAsked' | 'connectionAnswered' | 'connected' | 'connectionEnded';

function isOfConnection(notice: ShopNotice): notice is Of<ConnectionKind> {
	return CONNECTION.has(notice.kind);
}

const ENDED = {
	shop: 'notice.ended.shop',
	customer: 'notice.ended.customer',
	nobody: 'notice.ended.lost'
} as const;

function connectionWords(words: Words, notice: Of<ConnectionKind>): string {
	const { name } = notice;
	if (notice.kind === 'connected')
		return words.say(notice.way === 'app' ? 'notice.connected.app' : 'notice.connected.phone', {
			name
		});
	if (notice.kind === 'connectionEnded') return words.say(ENDED[notice.by], { name });
	return askWords(words, notice);
}

function isOfCodes(notice: ShopNotice): notice is Of<'wrongCode' | 'codesRunningOut'> {
	return notice.kind === 'wrongCode' || notice.kind === 'codesRunningOut';
}

function codesWords(words: Words, notice: Of<'wrongCode' | 'codesRunningOut'>): string {
	const { name } = notice;
	if (notice.kind === 'codesRunningOut')
		return words.say('notice.runningOut', { name, left: notice.left });
	return words.say(notice.isLocked ? 'notice.locked' : 'notice.wrongCode', {
		name,
		count: notice.wrong
	});
}

function isOfDay(notice: ShopNotice): notice is Of<'promiseBroken' | 'overdue' | 'dueToday'> {
	return notice.kind in OF_DAY;
}

const OF_DAY = {
	promiseBroken: 'notice.promiseBroken',
	overdue: 'notice.overdue',
	dueToday: 'notice.dueToday'
} as const satisfies Partial<Record<ShopNoticeKind, MessageKey>>;

const OF_RECORD = {
	accepted: 'notice.agreed',
	dropped: 'notice.dropped',
	cancelled: 'notice.saysNo',
	confirmedByCode: 'notice.byCode',
	codeNotTaken: 'notice.notTaken'
} as const satisfies Partial<Record<ShopNoticeKind, MessageKey>>;

/** Where it is of several lines, or of one that this device has not heard of yet. */
const ALL_OF = {
	accepted: 'notice.agreed.all',
	dropped: 'notice.agreed.all',
	cancelled: 'notice.saysNo.all',
	confirmedByCode: 'notice.byCode.all',
	codeNotTaken: 'notice.notTaken.all'
} as const satisfies Record<keyof typeof OF_RECORD, MessageKey>;

function recordWords(
	words: Words,
	{ kind, name }: { readonly kind: keyof typeof OF_RECORD; readonly name: string },
	record: RecordRow | undefined
): string {
	if (record === undefined) return words.say(ALL_OF[kind], { name });
	const amount = words.amount(record.amount, undefined, moneyOf(words, record));
	return words.say(OF_RECORD[kind], { name, amount });
}

function askWords(
	words: Words,
	{ ask, name }: Extract<ShopNotice, { kind: 'connectionAsked' | 'connectionAnswered' }>
): string {
	const who = ask.name === '' ? name : ask.name;
	if (ask.state === 'accepted') return words.say('notice.accepted', { name: who });
	if (ask.state === 'declined') return words.say('notice.declined', { name: who });
	return words.say(ask.by === 'customer' ? 'notice.connectionAsked' : 'notice.asked.byShop', {
		name: who
	});
}

function noteOf(words: Words, notice: ShopNotice): string {
	if (notice.kind === 'codeNotTaken') return troubleWords(words, notice.why);
	if (notice.kind !== 'cancelled') return '';
	const why = notice.reason === 0 ? '' : reasonWords(words, notice.reason);
	return [why, notice.note].filter((part) => part !== '').join(' · ');
}
