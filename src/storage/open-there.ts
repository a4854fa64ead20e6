import { STORE_VERSION } from './device-store.ts';

/** Dexie counts versions in tenths. */
const NATIVE_VERSION = STORE_VERSION * 10;

/**
 * The database `name` as this program leaves it, with nothing loaded for that; undefined where it is
 * not there, or is of another form: then it is neither made nor changed. It is closed when somebody
 * wants to change or remove it, and `onRemoved` hears of the latter.
 */
export function openThere(
	name: string,
	indexedDB: IDBFactory,
	onRemoved?: () => void
): Promise<IDBDatabase | undefined> {
	return new Promise((resolve) => {
		const request = indexedDB.open(name);
		request.onupgradeneeded = () => {
			request.transaction?.abort();
		};
		request.onerror = (event) => {
			// What was not made is no fault of the page.
			event.preventDefault();
			resolve(undefined);
		};
		request.onsuccess = () => {
			const database = request.result;
			database.onversionchange = ({ newVersion }) => {
				database.close();
				if (newVersion === null) onRemoved?.();
			};
			if (database.version === NATIVE_VERSION) resolve(database);
			else {
				database.close();
				resolve(undefined);
			}
		};
	});
}

/** Resolves when this request, and so each before it in its transaction, is answered. */
export function answered(request: IDBRequest): Promise<void> {
	return new Promise((resolve, reject) => {
		request.onsuccess = () => {
			resolve();
		};
		request.onerror = () => {
			reject(new Error('the device gives no answer', { cause: request.error }));
		};
	});
}
