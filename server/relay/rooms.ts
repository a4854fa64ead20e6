import type { Sql } from 'postgres';
import type { DocumentAddress } from '#documents/document-name.ts';
import { loadRoom, type Room } from './room.ts';

/** The documents that somebody has open. */
export interface Rooms {
	/**
	 * The document, loaded once for all who hold it. Each `hold` is followed by one `release`, where it
	 * failed too: that is what has the document read anew.
	 */
	readonly hold: (name: string, address: DocumentAddress) => Promise<Room>;
	readonly release: (name: string) => void;
}

interface Held {
	readonly loading: Promise<Room>;
	holders: number;
}

export function createRooms(sql: Sql): Rooms {
	const heldByName = new Map<string, Held>();
	return {
		hold: (name, address) => {
			const held = heldByName.get(name);
			if (held !== undefined) {
				held.holders += 1;
				return held.loading;
			}
			const loading = loadRoom(sql, name, address);
			heldByName.set(name, { loading, holders: 1 });
			return loading;
		},
		release: (name) => {
			const held = heldByName.get(name);
			if (held === undefined) return;
			held.holders -= 1;
			if (held.holders === 0) heldByName.delete(name);
		}
	};
}
