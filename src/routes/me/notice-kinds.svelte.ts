import { createContext } from 'svelte';
import type { Notice, NoticeKind } from '#domain/person/view.ts';
import type { Shelf } from '#ui/words.svelte.ts';

/** What a person chooses by; wrong codes are always told. */
export const NOTICE_GROUPS = ['answer', 'due', 'money', 'connection', 'codes'] as const;
export type NoticeGroup = (typeof NOTICE_GROUPS)[number];

const GROUP_BY_KIND: Readonly<Record<NoticeKind, NoticeGroup>> = {
	toAnswer: 'answer',
	broughtToAnswer: 'answer',
	disputeAnswered: 'answer',
	dueSoon: 'due',
	overdue: 'due',
	dueMoved: 'due',
	paymentReceived: 'money',
	confirmedByCode: 'money',
	connectionAsked: 'connection',
	connectionAnswered: 'connection',
	connected: 'connection',
	connectionEnded: 'connection',
	wrongCode: 'codes',
	codeNotTaken: 'codes',
	codesRunningOut: 'codes'
};

const SHELF_KEY = 'daftar.me.notices.off';

function groupOf(kind: NoticeKind): NoticeGroup {
	return GROUP_BY_KIND[kind];
}

/** Which kinds of notices the person of this phone wants to be told. */
export class NoticeKinds {
	readonly #shelf: Shelf;
	off = $state.raw<readonly NoticeGroup[]>([]);

	constructor(shelf: Shelf) {
		this.#shelf = shelf;
		const kept = (shelf.getItem(SHELF_KEY) ?? '').split(' ');
		this.off = NOTICE_GROUPS.filter((group) => group !== 'codes' && kept.includes(group));
	}

	/** Tells a group again, or no longer; the alarm of codes stays on. */
	toggle(group: NoticeGroup): void {
		if (group === 'codes') return;
		this.off = this.off.includes(group)
			? this.off.filter((one) => one !== group)
			: [...this.off, group];
		this.#shelf.setItem(SHELF_KEY, this.off.join(' '));
	}

	isOn(group: NoticeGroup): boolean {
		return !this.off.includes(group);
	}

	/** What the person wants to be told, in the order it came. */
	chosen(notices: readonly Notice[]): readonly Notice[] {
		return notices.filter(({ kind }) => this.isOn(groupOf(kind)));
	}

	unread(notices: readonly Notice[]): number {
		return this.chosen(notices).filter(({ isRead }) => !isRead).length;
	}
}

/** The chosen kinds of notices, from the customer's layout down. */
export const [useNoticeKinds, provideNoticeKinds] = createContext<NoticeKinds>();
