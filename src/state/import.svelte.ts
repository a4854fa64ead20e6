import {
	NEEDED_FIELDS,
	writeCsv,
	type AddedRow,
	type ImportColumns,
	type ImportField,
	type ImportPlan,
	type RefusedRow,
	type UpdatedRow
} from '#domain/catalog/import-rows.ts';
import type { Result } from '#domain/result.ts';
import type { App } from './app.svelte.ts';
import type { ProductEditRefusal } from './entity-acts.ts';
import { IMPORT_BYTES_MAX, type FileRefusal } from './import-file.ts';
import type { ImportAnswer, ImportQuestion } from './import-worker.ts';
import workerUrl from './import-worker.ts?worker&url';
import type { ProductList } from './keep-products.ts';
import { ownScriptUrl } from './script-url.ts';

/** How far the import of a list has come. */
export type ImportStage =
	| { readonly kind: 'choosing'; readonly refusal?: FileRefusal | 'unreadable' }
	| { readonly kind: 'reading' }
	| MatchingStage
	| { readonly kind: 'judging'; readonly table: ImportTable }
	| { readonly kind: 'preview'; readonly table: ImportTable; readonly plan: ImportPlan }
	| { readonly kind: 'importing'; readonly done: number; readonly count: number }
	| { readonly kind: 'done'; readonly added: number; readonly updated: number }
	| StoppedStage;

export interface MatchingStage {
	readonly kind: 'matching';
	readonly table: ImportTable;
}

/** Stopped between two pieces: `done` rows are written whole, the others not at all. */
export interface StoppedStage {
	readonly kind: 'stopped';
	readonly done: number;
	readonly count: number;
	readonly why: 'asked' | 'fault' | ProductEditRefusal;
}

export interface ImportTable {
	readonly fileName: string;
	readonly headings: readonly string[];
	readonly sample: readonly string[];
	readonly rowCount: number;
}

/** As much of the app as an import needs. */
export type ImportingApp = Pick<App, 'keeping' | 'fault'> & {
	readonly book: Pick<App['book'], 'allProducts'>;
	readonly device: Pick<App['device'], 'keepProducts'>;
	readonly money: Pick<App['money'], 'exponent'>;
};

type Row = (AddedRow & { readonly isNew: true }) | (UpdatedRow & { readonly isNew: false });

/** Rows written in one transaction: few enough that a slow phone still answers between two. */
const PIECE_ROWS = 250;

/** The import of a list of products from a file; nothing is written before `begin`. */
export class ProductImport {
	readonly #app: ImportingApp;
	#worker: Worker | undefined;
	/** By whose separators the file's numbers are read. */
	readonly #locale: () => string;
	#stopping: 'asked' | undefined;
	stage = $state.raw<ImportStage>({ kind: 'choosing' });
	columns = $state.raw<ImportColumns>({});
	/** Fields that a list must have and that no column was found for. */
	readonly missing = $derived(NEEDED_FIELDS.filter((field) => this.columns[field] === undefined));

	constructor(app: ImportingApp, locale: () => string) {
		this.#app = app;
		this.#locale = locale;
	}

	/** Reads the file aside, so that the page stays awake; a file that is too large is not read. */
	async choose(file: File): Promise<void> {
		if (file.size > IMPORT_BYTES_MAX) {
			this.stage = { kind: 'choosing', refusal: 'tooLarge' };
			return;
		}
		this.stage = { kind: 'reading' };
		const answer = await this.#ask({ kind: 'read', file });
		if (answer.kind === 'refused') this.stage = { kind: 'choosing', refusal: answer.refusal };
		if (answer.kind !== 'table') return;
		const { headings, sample, rowCount, columns } = answer;
		this.columns = columns;
		this.stage = { kind: 'matching', table: { fileName: file.name, headings, sample, rowCount } };
		if (this.missing.length === 0 && columns.code !== undefined) await this.judge();
	}

	/** Takes the column at `place` for the field, or none; a column serves one field. */
	match(field: ImportField, place: number | undefined): void {
		const others = Object.entries(this.columns).filter(
			([other, at]) => other !== field && at !== place
		);
		this.columns = Object.fromEntries(place === undefined ? others : [...others, [field, place]]);
	}

	/** Goes back from the preview to the columns. */
	rematch(): void {
		if (this.stage.kind === 'preview') this.stage = { kind: 'matching', table: this.stage.table };
	}

	/** Judges every row against the book as it stands. */
	async judge(): Promise<void> {
		if (this.stage.kind !== 'matching' || this.missing.length > 0) return;
		const { table } = this.stage;
		this.stage = { kind: 'judging', table };
		const products = await this.#app.book.allProducts();
		const answer = await this.#ask({
			kind: 'plan',
			columns: { ...this.columns },
			known: products
				.filter(({ active }) => active !== false)
				.map(({ id, name = '', price, codes = [], category }) => ({
					id,
					name,
					codes,
					...(price !== undefined && { price }),
					...(category !== undefined && { category })
				})),
			reading: { locale: this.#locale(), exponent: this.#app.money.exponent }
		});
		if (answer.kind === 'plan') this.stage = { kind: 'preview', table, plan: answer.plan };
	}

	/** Writes the list piece by piece, each whole. What was written stays written when it stops. */
	async begin(): Promise<void> {
		if (this.stage.kind !== 'preview') return;
		const rows = rowsOf(this.stage.plan);
		this.#stopping = undefined;
		for (let done = 0; done < rows.length; done += PIECE_ROWS) {
			this.stage = { kind: 'importing', done, count: rows.length };
			await breath();
			const kept = this.#asked() ?? (await this.#keep(rows.slice(done, done + PIECE_ROWS)));
			if (kept !== undefined) {
				this.stage = { kind: 'stopped', done, count: rows.length, why: kept };
				return;
			}
		}
		const added = rows.filter(({ isNew }) => isNew).length;
		this.stage = { kind: 'done', added, updated: rows.length - added };
		this.close();
	}

	/** Stops after the piece that is being written. */
	stop(): void {
		this.#stopping = 'asked';
	}

	/** From the start; what was written stays. */
	restart(): void {
		this.close();
		this.columns = {};
		this.stage = { kind: 'choosing' };
	}

	/** IMPORT-10. Its screen is left: one that wrote on unseen would be judged by nobody who begins anew. */
	close(): void {
		this.stop();
		this.#worker?.terminate();
		this.#worker = undefined;
	}

	/** Undefined once the rows are on disk, else why they are not. */
	async #keep(rows: readonly Row[]): Promise<StoppedStage['why'] | undefined> {
		const list: ProductList = {
			added: rows.flatMap((row) => (row.isNew ? [row] : [])),
			updated: rows.flatMap((row) => (row.isNew ? [] : [row]))
		};
		const kept = await this.#kept(list);
		if (kept === undefined) return 'fault';
		return kept.ok ? undefined : kept.error;
	}

	async #kept(list: ProductList): Promise<Result<unknown, ProductEditRefusal> | undefined> {
		try {
			return await this.#app.keeping(() => this.#app.device.keepProducts(list));
		} catch (fault) {
			this.#app.fault = fault;
			return undefined;
		}
	}

	#asked(): 'asked' | undefined {
		return this.#stopping;
	}

	#ask(question: ImportQuestion): Promise<ImportAnswer> {
		this.#worker ??= new Worker(ownScriptUrl(workerUrl), { type: 'module' });
		const worker = this.#worker;
		return new Promise((resolve, reject) => {
			worker.onmessage = ({ data }: MessageEvent<ImportAnswer>) => {
				resolve(data);
			};
			worker.onerror = (event) => {
				reject(new Error('the reader of the file broke', { cause: event.message }));
			};
			worker.postMessage(question);
		});
	}
}

/** The refused rows as they stood, each with its number and reason, as a CSV file's text. */
export function refusedRowsCsv(
	refused: readonly RefusedRow[],
	{ headings, row, reason, say }: RefusedHeadings
): string {
	const body = refused.map((one) => [String(one.row), say(one), ...one.cells]);
	return writeCsv([[row, reason, ...headings], ...body]);
}

export interface RefusedHeadings {
	readonly headings: readonly string[];
	/** The words over the two columns that stand before the file's own. */
	readonly row: string;
	readonly reason: string;
	readonly say: (refused: RefusedRow) => string;
}

function rowsOf({ added, updated }: ImportPlan): readonly Row[] {
	return [
		...added.map((row): Row => ({ ...row, isNew: true })),
		...updated.map((row): Row => ({ ...row, isNew: false }))
	].toSorted((a, b) => a.row - b.row);
}

/** Lets the page show where it is, and a finger be heard, between two pieces. */
function breath(): Promise<void> {
	return new Promise((resolve) => {
		setTimeout(resolve, 0);
	});
}
