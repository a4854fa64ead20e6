import {
	guessColumns,
	planImport,
	type ImportColumns,
	type ImportParts,
	type ImportPlan
} from '#domain/catalog/import-rows.ts';
import { IMPORT_BYTES_MAX, readTable, type FileRefusal, type Table } from './import-file.ts';

/** What the page asks of the worker: first to read a file, then to judge its rows. */
export type ImportQuestion =
	| { readonly kind: 'read'; readonly file: File }
	| ({ readonly kind: 'plan' } & ImportParts);

export type ImportAnswer =
	| { readonly kind: 'refused'; readonly refusal: FileRefusal | 'unreadable' }
	| {
			readonly kind: 'table';
			readonly headings: readonly string[];
			readonly rowCount: number;
			/** The first row's cells, so that a person sees what a column holds. */
			readonly sample: readonly string[];
			readonly columns: ImportColumns;
	  }
	| { readonly kind: 'plan'; readonly plan: ImportPlan };

let table: Table | undefined;

globalThis.addEventListener('message', (event: MessageEvent<ImportQuestion>) => {
	answer(event.data).then(
		(said) => {
			globalThis.postMessage(said);
		},
		// IMPORT-9. The page hears of what is thrown here, and of no promise that is rejected: it would wait for good.
		(fault: unknown) => {
			globalThis.reportError(fault);
		}
	);
});

async function answer(question: ImportQuestion): Promise<ImportAnswer> {
	if (question.kind === 'read') return read(question.file);
	return { kind: 'plan', plan: planImport(table?.rows ?? [], question) };
}

async function read(file: File): Promise<ImportAnswer> {
	if (file.size > IMPORT_BYTES_MAX) return { kind: 'refused', refusal: 'tooLarge' };
	const bytes = await bytesOf(file);
	if (bytes === undefined) return { kind: 'refused', refusal: 'unreadable' };
	const parsed = readTable(bytes);
	if (!parsed.ok) return { kind: 'refused', refusal: parsed.error };
	table = parsed.value;
	const { headings, rows } = table;
	return {
		kind: 'table',
		headings,
		rowCount: rows.length,
		sample: rows.find((cells) => cells.some((cell) => cell.trim() !== '')) ?? [],
		columns: guessColumns(headings)
	};
}

/** Undefined where the file is gone or may not be read. */
async function bytesOf(file: File): Promise<Uint8Array | undefined> {
	try {
		return new Uint8Array(await file.arrayBuffer());
	} catch (cause) {
		if (cause instanceof DOMException) return undefined;
		throw cause;
	}
}
