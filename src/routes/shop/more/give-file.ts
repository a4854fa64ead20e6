const REVOKE_AFTER_MS = 10_000;

/**
 * Hands a file to whatever the phone shares with; else it is saved where the browser saves. False where
 * the person did neither.
 */
export async function giveFile(file: File): Promise<boolean> {
	const shared = { files: [file], title: file.name };
	if (canShare(navigator, shared)) {
		try {
			await navigator.share(shared);
			return true;
		} catch (fault) {
			if (fault instanceof DOMException && fault.name === 'AbortError') return false;
			// A browser may say that it shares files, and then would not: it can still save it.
		}
	}
	const url = URL.createObjectURL(file);
	const link = document.createElement('a');
	link.href = url;
	link.download = file.name;
	link.click();
	// Safari reads it only after the click; revoked at once it would save nothing.
	setTimeout(() => {
		URL.revokeObjectURL(url);
	}, REVOKE_AFTER_MS);
	return true;
}

function canShare(browser: Partial<Navigator>, shared: ShareData): boolean {
	return browser.share !== undefined && browser.canShare?.(shared) === true;
}
