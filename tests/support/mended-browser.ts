import Dexie from 'dexie';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { afterEach, beforeEach, vi } from 'vitest';

export interface MendedBrowser {
	/** From now on a database opens. */
	readonly mend: () => void;
}

/** As much of a browser as opens an app, whose database does not open at first, as after a page slept. */
export function createMendedBrowser(): MendedBrowser {
	let isBroken = true;
	class MendedFactory extends IDBFactory {
		override open(...asked: Parameters<IDBFactory['open']>): ReturnType<IDBFactory['open']> {
			if (isBroken) throw new DOMException('connection lost', 'InvalidStateError');
			return super.open(...asked);
		}
	}
	// Dexie looks for the browser's when it is loaded, which another file's tests may have done.
	const { dependencies } = Dexie;
	beforeEach(() => {
		isBroken = true;
		const indexedDB = new MendedFactory();
		Dexie.dependencies = { indexedDB, IDBKeyRange };
		vi.stubGlobal('indexedDB', indexedDB);
		vi.stubGlobal('IDBKeyRange', IDBKeyRange);
		vi.stubGlobal('window', { addEventListener: () => undefined });
		vi.stubGlobal('document', { addEventListener: () => undefined, visibilityState: 'visible' });
		vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
	});
	afterEach(() => {
		Dexie.dependencies = dependencies;
		vi.unstubAllGlobals();
	});
	return {
		mend: () => {
			isBroken = false;
		}
	};
}
