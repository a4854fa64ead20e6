/**
 * RELAY-93. What was sent over all sockets of a relay and is not read: it lies in our memory. RELAY-95. Or
 * what came in over them, and nobody can read since it is no whole message yet.
 */
export interface Unread {
	/** Looks at a socket that was just sent something, or sent it, or has closed, and at the others where all have too much. */
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
const LITTLE_BYTES = 256 * 1024;
/** But where a business or person has more than this, over however many such: that is no shop's tills. */
const MANY_LITTLE_BYTES = 8 * 1024 * 1024;
/** Less than this is nothing; most sockets never have as much, and an idle one is to take little. */
export const NOTED_BYTES = 32 * 1024;

/** What does not count is to grow by so small a part before all are weighed again. */
const WEIGHED_PART = 16;

/** Where all have too much, sockets of the business or person that has the most are cut off, the fullest first. */
export function createUnread(allBytesMax = ALL_BYTES_MAX): Unread {
	/** What each had when it was last looked at, and all of them: since then they may have less, but not more. */
	const noted = new Map<UnreadLine, number>();
	let notedBytes = 0;
	/** Since all were weighed: what came, and how much may before they are weighed again. */
	let [grownBytes, freeBytes] = [0, allBytesMax];
	function note(line: UnreadLine): void {
		const bytes = line.unreadBytes();
		const isNoted = bytes > NOTED_BYTES;
		const more = (isNoted ? bytes : 0) - (noted.get(line) ?? 0);
		notedBytes += more;
		grownBytes += Math.max(0, more);
		if (isNoted) noted.set(line, bytes);
		else noted.delete(line);
	}
	return {
		sent: (line) => {
			note(line);
			if (notedBytes <= allBytesMax || grownBytes <= freeBytes) return;
			for (const one of [...noted.keys()]) note(one);
			let weighed = weigh(noted);
			while (weighed.all > allBytesMax) {
				const fullest = fullestOf(weighed.most, noted);
				if (fullest === undefined) return;
				fullest.cut();
				note(fullest);
				weighed = weigh(noted);
			}
			// A town of which each has little is not weighed at each word.
			grownBytes = 0;
			freeBytes = Math.max(allBytesMax - weighed.all, (notedBytes - weighed.all) / WEIGHED_PART);
		}
	};
}

interface Weighed {
	readonly all: number;
	/** Of who has the most, those that count. */
	readonly most: readonly UnreadLine[];
}

function weigh(noted: ReadonlyMap<UnreadLine, number>): Weighed {
	const bytesOf = (line: UnreadLine): number => noted.get(line) ?? 0;
	const sumOf = (lines: readonly UnreadLine[]): number =>
		lines.reduce((sum, line) => sum + bytesOf(line), 0);
	let all = 0;
	let most: { readonly bytes: number; readonly of: readonly UnreadLine[] } = { bytes: 0, of: [] };
	for (const lines of Map.groupBy(noted.keys(), ({ caller }) => caller.scope).values()) {
		const hasMany = sumOf(lines) > MANY_LITTLE_BYTES;
		const of = hasMany ? lines : lines.filter((line) => bytesOf(line) > LITTLE_BYTES);
		const bytes = sumOf(of);
		all += bytes;
		if (bytes > most.bytes) most = { bytes, of };
	}
	return { all, most: most.of };
}

function fullestOf(
	[first, ...others]: readonly UnreadLine[],
	noted: ReadonlyMap<UnreadLine, number>
): UnreadLine | undefined {
	return others.reduce(
		(full, one) =>
			full !== undefined && (noted.get(one) ?? 0) > (noted.get(full) ?? 0) ? one : full,
		first
	);
}
