import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { Answered, AnswerRefusal } from '#state/customer/device.ts';
import { SyncStatus } from '#state/sync-status.svelte.ts';
import { Toasts } from '#ui/toasts.svelte.ts';
import { Answering } from './answering.svelte.ts';

const A = 'a' as RecordHash;
const B = 'b' as RecordHash;
const SAID = { text: 'You agreed', undo: 'Undo' };

/** A phone that writes down what it signs. */
function phone(
	link: SyncStatus['link'],
	outcomeOf: (what: string) => Result<Answered, AnswerRefusal> = () => ok({ hs: [] })
) {
	const sync = new SyncStatus(() => 0);
	sync.link = link;
	const signed: string[] = [];
	const sign = (what: string) => {
		signed.push(what);
		return Promise.resolve(outcomeOf(what));
	};
	const toasts = new Toasts();
	const answering = new Answering({
		customer: {
			sync,
			accept: (hs) => sign(`accept ${hs.join(' ')}`),
			cancel: (h, reason, note) => sign(`cancel ${h} ${reason} ${note ?? '-'}`),
			drop: (h) => sign(`drop ${h}`)
		},
		toasts
	});
	return { answering, signed, toasts };
}

beforeEach(() => {
	vi.useFakeTimers();
});
afterEach(() => {
	vi.useRealTimers();
});

describe('an answer', () => {
	it('goes straight to the shop where there is a network', async () => {
		const { answering, signed, toasts } = phone('online');
		await answering.accept([A], SAID);
		expect(signed).toEqual(['accept a']);
		expect(toasts.current).toMatchObject({ text: 'You agreed' });
		expect(toasts.current?.undo).toBeUndefined();
	});

	it('is signed only after ten seconds without one, and may be taken back until then', async () => {
		const { answering, signed, toasts } = phone('offline');
		await answering.accept([A], SAID);
		expect([answering.isHeld(A), signed]).toEqual([true, []]);
		toasts.current?.undo?.act();
		await vi.advanceTimersByTimeAsync(20_000);
		expect([answering.isHeld(A), signed]).toEqual([false, []]);

		await answering.cancel(A, { reason: 'notMe', note: '' }, SAID);
		await vi.advanceTimersByTimeAsync(9_999);
		expect(signed).toEqual([]);
		await vi.advanceTimersByTimeAsync(1);
		expect([answering.isHeld(A), signed]).toEqual([false, ['cancel a notMe -']]);
	});

	it('to several records may be taken back whatever the network', async () => {
		const { answering, signed } = phone('online');
		await answering.accept([A, B], SAID);
		expect(signed).toEqual([]);
		await vi.advanceTimersByTimeAsync(10_000);
		expect(signed).toEqual(['accept a b']);
	});

	it('is signed before the next one, and when the page is left', async () => {
		const { answering, signed } = phone('offline');
		await answering.accept([A], SAID);
		await answering.drop(B, SAID);
		expect(signed).toEqual(['accept a']);
		await answering.flush();
		await answering.flush();
		await vi.advanceTimersByTimeAsync(20_000);
		expect(signed).toEqual(['accept a', 'drop b']);
	});

	it('[CUSTOMER-21] that is being signed, or was, is not said to be taken back', async () => {
		const { answering, signed, toasts } = phone('offline');
		await answering.accept([A], SAID);
		const undo = toasts.current?.undo;
		const flushed = answering.flush();
		undo?.act();
		await flushed;
		expect(signed).toEqual(['accept a']);
		expect(toasts.current).toBeUndefined();
	});

	it('[CUSTOMER-21] is lost to no other that is given while one before it is signed', async () => {
		const { answering, signed } = phone('offline');
		await answering.accept([A], SAID);
		await Promise.all([
			answering.drop(B, SAID),
			answering.cancel(A, { reason: 'notMe', note: '' }, SAID)
		]);
		await Promise.all([answering.flush(), answering.flush()]);
		expect(signed).toEqual(['accept a', 'drop b', 'cancel a notMe -']);
	});

	it.each(['online', 'offline'] as const)(
		'[CUSTOMER-21] that was held and is not taken says why, though the next one is given: %s',
		async (link) => {
			const { answering, toasts } = phone(link, (what) =>
				what === 'accept a b' ? err('alreadyAnswered') : ok({ hs: [] })
			);
			await answering.accept([A, B], SAID);
			await answering.drop(B, { ...SAID, text: 'Let go' });
			expect(toasts.current?.text).toBe('Let go');
			await vi.advanceTimersByTimeAsync(10_000);
			expect(answering.trouble).toBe('alreadyAnswered');
			await answering.drop(A, SAID);
			expect(answering.trouble).toBeUndefined();
		}
	);

	it('that is not taken says why, and no toast says that it was', async () => {
		const { answering, toasts } = phone('online', () => err('alreadyAnswered'));
		await answering.accept([A], SAID);
		expect([answering.trouble, toasts.current]).toEqual(['alreadyAnswered', undefined]);
	});
});
