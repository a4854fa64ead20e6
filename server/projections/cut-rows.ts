import type { Fragment, Sql } from 'postgres';

/** What a piece has of texts at the most, as a page of the feed has. */
const PIECE_BYTES = 1024 * 1024;

export interface Cut<Row> {
	readonly rows: readonly Row[];
	/** The last of them where more follow. */
	readonly last: Row | undefined;
}

export interface ToCut {
	/** A query of at most `limit` rows, in their order. */
	readonly rows: Fragment;
	readonly limit: number;
	/** By which they stand in order, each in another place. */
	readonly order: Fragment;
	/** What a row weighs. */
	readonly bytes: Fragment;
	/** In the place of `PIECE_BYTES`. */
	readonly bytesMax?: number | undefined;
}

/** FEED-9. So many rows, and so many bytes of them; but one row, however long it is. */
export async function readCut<Row extends object>(
	tx: Sql,
	{ rows: found, limit, order, bytes, bytesMax = PIECE_BYTES }: ToCut
): Promise<Cut<Row>> {
	const cut = await tx<(Row & Weighed)[]>`
		select * from (
			select found.*, sum(${bytes}) over (order by ${order}) as cut_bytes,
				row_number() over (order by ${order}) as cut_place, count(*) over () as cut_of
			from (${found}) as found
		) as weighed
		where cut_bytes <= ${bytesMax} or cut_place = 1 order by cut_place`;
	const of = Number(cut[0]?.cut_of ?? 0);
	const rows = cut.map(withoutWeight);
	return { rows, last: of === limit || rows.length < of ? rows.at(-1) : undefined };
}

interface Weighed {
	readonly cut_bytes: string;
	readonly cut_place: string;
	readonly cut_of: string;
}

const WEIGHTS: ReadonlySet<string> = new Set<keyof Weighed>(['cut_bytes', 'cut_place', 'cut_of']);

function withoutWeight<Row extends object>(row: Row & Weighed): Row {
	// It was put together from both.
	return Object.fromEntries(Object.entries(row).filter(([name]) => !WEIGHTS.has(name))) as Row;
}
