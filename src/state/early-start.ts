import { readEarly } from './early-read.ts';
import { FIRST_READ } from './first-read.ts';
import { endSleepingPages } from './sleeping-pages.ts';

// The first script of a shop's page (`vite.first-load.ts`): the book is read while the app is fetched.
endSleepingPages();
Reflect.set(
	window,
	FIRST_READ,
	readEarly({
		indexedDB,
		keyRange: IDBKeyRange,
		shelf: { getItem: (key) => localStorage.getItem(key) },
		onRemoved: () => {
			location.reload();
		}
	})
);
