import { readEarly, seenOf, type EarlyParts } from '#state/early-read.ts';
import { offerFirstRead, type FirstRead } from '#state/first-read.ts';
import { endSleepingPages } from '#state/sleeping-pages.ts';
import { createFirstView, offerFirstView, VIEW_KEY, type Seen } from '#ui/first-view.ts';

/**
 * The first script of a shop's page (`vite.first-load.ts`): the book is read while the app is fetched,
 * and where the till is as it was left it is drawn from what was painted then. `program` says which
 * build this is.
 */
export function begin(program: string): void {
	endSleepingPages();
	const parts: EarlyParts = {
		indexedDB,
		keyRange: IDBKeyRange,
		shelf: { getItem: (key) => localStorage.getItem(key) },
		onRemoved: () => {
			location.reload();
		}
	};
	const read = readEarly(parts);
	offerFirstRead(read);
	offerFirstView(
		createFirstView({
			isTill: location.pathname === '/shop/sell',
			shelf: localStorage,
			circumstances: () => [
				program,
				...navigator.languages,
				String(matchMedia(WIDE).matches),
				...onShelf()
			],
			first: read.then(whatIsSeen),
			seeAgain: async () => {
				const again = await readEarly(parts);
				again?.release();
				return whatIsSeen(again);
			}
		})
	);
}

function whatIsSeen(read: FirstRead | undefined): Seen | undefined {
	const text = read && seenOf(read);
	return text === undefined || read === undefined ? undefined : { text, tiles: read.tiles };
}

/** As `.wide-only` has it. */
const WIDE = '(min-width: 45rem)';

/** What this device's person chose, and what was kept for the first screen. */
function onShelf(): readonly string[] {
	return Object.keys(localStorage)
		.filter((key) => key.startsWith('daftar.') && key !== VIEW_KEY)
		.toSorted()
		.flatMap((key) => [key, localStorage.getItem(key) ?? '']);
}
