import type { Sql } from 'postgres';
import { HAVE_RANGES_MAX } from '#server/database/journal.ts';
import { HAVE_RANGE_LENGTH } from '#sync/limits.ts';
import { deviceKey, type Device } from './submission.ts';
import { addToBook, blockOf, createHaveBook, type HaveBook } from './have-book.ts';

/** The have books of the devices that are connected. */
export interface HaveShelf {
	/**
	 * The device's book, read from the database when its first socket opens: from the block of `from`
	 * on, and further back once somebody asks for more. What is committed later is in it wherever it is.
	 */
	open(device: Device, from?: number): Promise<HaveBook>;
	close(device: Device): void;
	/** Notes a committed fact in the book of its device; true where that has been read and lacked it. */
	add(device: Device, n: number, digest: bigint): boolean;
	/** Whose books are open, or being read. */
	codesOf(scope: Device['scope']): readonly string[];
	/** The book, where it is open and has been read. */
	find(device: Device): HaveBook | undefined;
}

interface Opened {
	/** The last of the readings: one begins where the one before ended, or failed. */
	reading: Promise<unknown>;
	/** Undefined until one has been read. */
	book: HaveBook | undefined;
	/** From which block on `book` has all that was committed before it was read. */
	firstBlock: number;
	/** Committed while a book is being read, and so perhaps not in what is read. */
	meanwhile: (readonly [n: number, digest: bigint])[] | undefined;
	readers: number;
}

/** RELAY-17. Of a device with more than so many ranges a book has the last. */
export function createHaveShelf(sql: Sql, rangesMax = HAVE_RANGES_MAX): HaveShelf {
	const openedByDevice = new Map<string, Opened>();
	const codesByScope = new Map<string, Set<string>>();

	return {
		open: (device, from = 0) => {
			const key = deviceKey(device);
			const opened = openedByDevice.get(key) ?? openBook();
			openedByDevice.set(key, opened);
			opened.readers += 1;
			const reading = readFrom(sql, opened, { device, block: blockOf(from), rangesMax });
			// Who waits for this one hears of its fault; who comes later reads for himself.
			opened.reading = reading.catch(() => undefined);
			const codes = codesByScope.get(device.scope) ?? new Set();
			codesByScope.set(device.scope, codes.add(device.code));
			return reading;
		},
		close: (device) => {
			const opened = openedByDevice.get(deviceKey(device));
			if (opened === undefined) return;
			opened.readers -= 1;
			if (opened.readers > 0) return;
			openedByDevice.delete(deviceKey(device));
			const codes = codesByScope.get(device.scope);
			codes?.delete(device.code);
			if (codes?.size === 0) codesByScope.delete(device.scope);
		},
		add: (device, n, digest) => {
			const opened = openedByDevice.get(deviceKey(device));
			opened?.meanwhile?.push([n, digest]);
			return opened?.book === undefined ? false : addToBook(opened.book, n, digest);
		},
		codesOf: (scope) => [...(codesByScope.get(scope) ?? [])],
		find: (device) => openedByDevice.get(deviceKey(device))?.book
	};
}

function openBook(): Opened {
	return {
		reading: Promise.resolve(),
		book: undefined,
		firstBlock: Infinity,
		// What is committed from now on is in it, whatever is read.
		meanwhile: [],
		readers: 0
	};
}

interface ToRead {
	readonly device: Device;
	readonly block: number;
	readonly rangesMax: number;
}

/** A book that goes back as far, in the place of one that does not: that one serves until it is read. */
async function readFrom(sql: Sql, opened: Opened, asked: ToRead): Promise<HaveBook> {
	const { block } = asked;
	await opened.reading;
	if (opened.book !== undefined && opened.firstBlock <= block) return opened.book;
	const meanwhile: (readonly [n: number, digest: bigint])[] = opened.meanwhile ?? [];
	opened.meanwhile = meanwhile;
	try {
		const book = await readHaveBook(sql, asked);
		for (const [n, digest] of meanwhile) addToBook(book, n, digest);
		opened.book = book;
		opened.firstBlock = block;
		return book;
	} finally {
		// After a fault too: what was committed by now, the next reading finds in the database.
		opened.meanwhile = undefined;
	}
}

/** RELAY-17. Runs of a device's committed facts, cut at multiples of 512, each with the XOR of its digests. */
async function readHaveBook(
	sql: Sql,
	{ device: { scope, code }, block, rangesMax }: ToRead
): Promise<HaveBook> {
	const rows = await sql<{ from: string; to: string; digest: string }[]>`
		select min(n) as from, max(n) as to, bit_xor(digest) as digest
		from (
			select n, digest, n / 512 as block,
				n - row_number() over (partition by n / 512 order by n) as island
			from fact where business = ${scope} and code = ${code}
				and n >= ${block * HAVE_RANGE_LENGTH}
		) as numbered
		group by block, island
		order by min(n) desc limit ${rangesMax}`;
	return createHaveBook(
		rows.toReversed().map(({ from, to, digest }) => ({
			from: Number(from),
			to: Number(to),
			digest: BigInt.asUintN(64, BigInt(digest))
		}))
	);
}
