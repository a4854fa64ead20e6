import type { Fact } from '#domain/fact/fact.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { cleanName } from '#domain/text.ts';

/** Which field of what a person filled in is not taken. */
export interface FieldRefusal {
	readonly kind: 'fieldRefused';
	readonly field: string;
	/** Of several rows, from 0. */
	readonly row: number;
	readonly why: 'empty' | 'tooLong' | 'wrong';
}

export const NAME_MAX = 100;
export const NOTE_MAX = 500;

/** A change that changes nothing is no fact. */
export function nothingWritten(): Promise<
	Result<{ facts: readonly Fact[]; value: undefined }, never>
> {
	return Promise.resolve(ok({ facts: [], value: undefined }));
}

/** The fields that differ from what stands; the stamp of an untouched field stays old. */
export function changedOf<Fields extends object>(fields: Fields, held: object): Partial<Fields> {
	const changed = entriesOf(fields).filter(
		([field, value]) => JSON.stringify(value) !== JSON.stringify(Reflect.get(held, field))
	);
	return Object.fromEntries(changed) as Partial<Fields>;
}

export function wrongField(fields: object, isRight: (of: unknown) => boolean): string | undefined {
	return entriesOf(fields).find(([field, value]) => !isRight({ [field]: value }))?.[0];
}

/** The longest text of each field that holds words, in code points; `name` may not be empty. */
export type TextFields = Readonly<Record<string, number>>;

/** Cleans every field that holds words; a field left undefined is not there. */
export function cleanTexts<Fields extends object>(
	draft: Fields,
	texts: TextFields,
	row: number
): Result<Fields, FieldRefusal> {
	const clean: [string, unknown][] = [];
	for (const [field, value] of entriesOf(draft)) {
		if (value === undefined) continue;
		const lengthMax = texts[field];
		if (lengthMax === undefined || typeof value !== 'string') {
			clean.push([field, value]);
			continue;
		}
		const text = cleanName(value, lengthMax);
		const isEmpty = !text.ok && text.error === 'empty';
		if (!text.ok && !(isEmpty && field !== 'name'))
			return err({ kind: 'fieldRefused', field, row, why: text.error });
		clean.push([field, text.ok ? text.value : '']);
	}
	return ok(Object.fromEntries(clean) as Fields);
}

function entriesOf(fields: object): readonly (readonly [string, unknown])[] {
	return Object.entries<unknown>({ ...fields });
}
