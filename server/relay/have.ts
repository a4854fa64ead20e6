import type { Sql } from 'postgres';
import { deviceKey, type Device } from './submission.ts';
import { createHaveBook, type HaveBook } from './have-book.ts';

/** The have books of the devices that are connected. */
export interface HaveShelf {
	/** The device's book, read from the database when its first socket opens. */
	open(device: Device): Promise<HaveBook>;
	close(device: Device): void;
	/** Notes a committed fact in the book of its device; true where that has been read and lacked it. */
	add(device: Device, n: number, digest: bigint): boolean;
	/** Whose books are open, or being read. */
	codesOf(scope: Device['scope']): readonly string[];
	/** The book, where it is open and has been read. */
	find(device: Device): HaveBook | undefined;
}

interface Opened {
	readonly reading: Promise<HaveBook>;
	/** Undefined while it is being read. */
	book: HaveBook | undefined;
	/** Committed while the book was being read, and so perhaps not in what was read. */
	readonly meanwhile: (readonly [n: number, digest: bigint])[];
	readers: number;
}

export function createHaveShelf(sql: Sql): HaveShelf {
	const openedByDevice = new Map<string, Opened>();
	const codesByScope = new Map<string, Set<string>>();

	return {
		open: (device) => {
			const key = deviceKey(device);
			const opened = openedByDevice.get(key);
			if (opened !== undefined) {
				opened.readers += 1;
				return opened.reading;
			}
			const fresh = openBook(sql, device);
			openedByDevice.set(key, fresh);
			const codes = codesByScope.get(device.scope) ?? new Set();
			codesByScope.set(device.scope, codes.add(device.code));
			return fresh.reading;
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
			if (opened?.book !== undefined) return opened.book.add(n, digest);
			opened?.meanwhile.push([n, digest]);
			return false;
		},
		codesOf: (scope) => [...(codesByScope.get(scope) ?? [])],
		find: (device) => openedByDevice.get(deviceKey(device))?.book
	};
}

/** What is committed from now on is in it: an entry of its own, whatever becomes of one before it. */
function openBook(sql: Sql, device: Device): Opened {
	const meanwhile: (readonly [n: number, digest: bigint])[] = [];
	const reading = readHaveBook(sql, device).then((book) => {
		for (const [n, digest] of meanwhile) book.add(n, digest);
		opened.book = book;
		return book;
	});
	const opened: Opened = { reading, book: undefined, meanwhile, readers: 1 };
	return opened;
}

/** RELAY-17. Runs of a device's committed facts, cut at multiples of 512, each with the XOR of its digests. */
async function readHaveBook(sql: Sql, { scope, code }: Device): Promise<HaveBook> {
	const rows = await sql<{ from: string; to: string; digest: string }[]>`
		select min(n) as from, max(n) as to, bit_xor(digest) as digest
		from (
			select n, digest, n / 512 as block,
				n - row_number() over (partition by n / 512 order by n) as island
			from fact where business = ${scope} and code = ${code}
		) as numbered
		group by block, island
		order by min(n)`;
	return createHaveBook(
		rows.map(({ from, to, digest }) => ({
			from: Number(from),
			to: Number(to),
			digest: BigInt.asUintN(64, BigInt(digest))
		}))
	);
}
