/**
 * RELAY-93. What was sent over all sockets of a relay and is not read: it lies in our memory. RELAY-95. Or
 * what came in over them, and nobody can read since it is no whole message yet.
 */
export interface Unread {
	/** Looks at a socket that was just sent something, or sent it, and at the others where all have too much. */
	readonly sent: (line: UnreadLine) => void;
}

export interface UnreadLine {
	readonly caller: { readonly scope: string };
	/** 0 once it is closed. */
	readonly unreadBytes: () => number;
	readonly cut: () => void;
}

/** Of all sockets together. */
const ALL_BYTES_MAX = 128 * 1024 * 1024;
/** Who has no more than this unread is not counted: a till hears on. */
export const LITTLE_BYTES = 256 * 1024;

/** Where all have too much, sockets of the business or person that has the most are cut off, the fullest first. */
export function createUnread(allBytesMax = ALL_BYTES_MAX): Unread {
	const lines = new Set<UnreadLine>();
	function weigh(): { readonly all: number; readonly most: readonly UnreadLine[] } {
		let all = 0;
		let most: { bytes: number; readonly of: UnreadLine[] } = { bytes: 0, of: [] };
		const byScope = new Map<string, typeof most>();
		for (const line of lines) {
			const bytes = line.unreadBytes();
			if (bytes <= LITTLE_BYTES) {
				lines.delete(line);
				continue;
			}
			const held = byScope.get(line.caller.scope) ?? { bytes: 0, of: [] };
			byScope.set(line.caller.scope, held);
			held.bytes += bytes;
			held.of.push(line);
			all += bytes;
			if (held.bytes > most.bytes) most = held;
		}
		return { all, most: most.of };
	}
	return {
		sent: (line) => {
			if (line.unreadBytes() <= LITTLE_BYTES) return;
			lines.add(line);
			for (let { all, most } = weigh(); all > allBytesMax; { all, most } = weigh()) {
				const [first, ...others] = most;
				if (first === undefined) return;
				const fullest = others.reduce(
					(full, one) => (one.unreadBytes() > full.unreadBytes() ? one : full),
					first
				);
				lines.delete(fullest);
				fullest.cut();
			}
		}
	};
}
