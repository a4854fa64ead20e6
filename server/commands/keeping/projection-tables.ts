/** What is folded from facts, and can be made of them again. */
export const PROJECTION_TABLES = [
	'clock',
	'product',
	'customer',
	'setting',
	'sale',
	'sale_line',
	'sale_return',
	'return_line',
	'tender',
	'stock',
	'record',
	'ledger_fact',
	'claim',
	'balance',
	'early_name',
	'day_total'
] as const;
