import type { Attachment } from 'svelte/attachments';

/**
 * Keeps the focus in an element whose rows (`li`) go away by what is done with them: it goes to the
 * row that took the place, to the last one, or to the heading where none is left. Who moved the
 * focus elsewhere keeps it there.
 */
export const keepsFocus: Attachment<HTMLElement> = (element) => {
	let held: HTMLElement | undefined;
	let place = -1;
	const look = ({ target }: FocusEvent): void => {
		if (!(target instanceof HTMLElement)) return;
		const row = target.closest('li');
		held = target;
		place = row === null ? -1 : rowsOf(element).indexOf(row);
	};
	const observer = new MutationObserver(() => {
		if (held?.isConnected !== false) return;
		held = undefined;
		if (hasFocus(document)) return;
		const rows = rowsOf(element);
		const row = place < 0 ? undefined : rows[Math.min(place, rows.length - 1)];
		const next = row?.querySelector<HTMLElement>('a, button') ?? row ?? element.querySelector('h1');
		if (next === null) return;
		if (!next.matches('a, button')) next.tabIndex = -1;
		next.focus({ preventScroll: true });
	});
	element.addEventListener('focusin', look);
	observer.observe(element, { childList: true, subtree: true });
	return () => {
		element.removeEventListener('focusin', look);
		observer.disconnect();
	};
};

function rowsOf(element: HTMLElement): readonly HTMLElement[] {
	return [...element.querySelectorAll('li')];
}

function hasFocus({ activeElement, body }: Document): boolean {
	return activeElement !== null && activeElement !== body;
}
