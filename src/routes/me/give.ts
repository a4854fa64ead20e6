/** Hands a text to whatever the phone shares with; else it lies in the clipboard. */
export async function shareText(
	title: string,
	text: string
): Promise<'shared' | 'copied' | 'dropped'> {
	if (!canShare(navigator)) {
		await navigator.clipboard.writeText(text);
		return 'copied';
	}
	try {
		await navigator.share({ title, text });
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
