/** Hands a text to whatever the phone shares with; else it lies in the clipboard. */
export async function giveText(of: {
	readonly title: string;
	readonly text?: string;
	readonly url?: string;
}): Promise<'shared' | 'copied' | 'dropped'> {
	if (!canShare(navigator)) {
		await navigator.clipboard.writeText(of.text ?? of.url ?? of.title);
		return 'copied';
	}
	try {
		await navigator.share(of);
		return 'shared';
	} catch (fault) {
		if (fault instanceof DOMException && fault.name === 'AbortError') return 'dropped';
		throw fault;
	}
}

/** Firefox on a desktop shares nothing. */
function canShare(browser: Partial<Navigator>): boolean {
	return browser.share !== undefined;
}
