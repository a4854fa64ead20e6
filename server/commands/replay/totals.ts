/** What a trade comes to; the numbers that everybody has to agree on. Minor units, rows and pieces. */
export interface Totals {
	/** Invoices. */
	readonly sales: number;
	readonly returns: number;
	/** Rows. */
	readonly adjustments: number;
	readonly saleLines: number;
	readonly returnLines: number;
	readonly salesMinor: bigint;
	readonly returnsMinor: bigint;
	readonly products: number;
	readonly customers: number;
	/** Sold on account less returned on account. */
	readonly balanceMinor: bigint;
	/** The sum of all levels, which begin at 0. */
	readonly stockUnits: bigint;
}
