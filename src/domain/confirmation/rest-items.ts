import { utf8 } from '../bytes.ts';
import { encodeHashedJson, hashableText } from './hashed-json.ts';
import { HASHED_JSON_BYTES_MAX, ITEM_NAME_CHARACTERS_MAX, ITEMS_MAX } from './limits.ts';
import { MORE_ITEMS, type RecordRest, type RestItem } from './rest.ts';

/**
 * Adds what was sold to `rest`: as many of the first 50 lines as keep it within 4,096 bytes, names
 * cut to 40 characters, then how many more there are. No lines add nothing.
 */
export function withItems(rest: RecordRest, lines: readonly RestItem[]): RecordRest {
	const named = lines.slice(0, ITEMS_MAX).map(cutName);
	let listed = named.length;
	while (listed > 0 && !fits(rest, items(named, listed, lines.length))) listed -= 1;
	return lines.length === 0 ? rest : { ...rest, items: items(named, listed, lines.length) };
}

/** A name as a rest may hold it: hashable, and never half of a pair of surrogates at its end. */
function cutName([name, thousandths, unitPrice]: RestItem): RestItem {
	const characters = Array.from(hashableText(name));
	return [characters.slice(0, ITEM_NAME_CHARACTERS_MAX).join(''), thousandths, unitPrice];
}

function items(named: readonly RestItem[], listed: number, lines: number): readonly RestItem[] {
	if (listed === lines) return named;
	return [...named.slice(0, listed), [MORE_ITEMS, lines - listed, 0]];
}

function fits(rest: RecordRest, listed: readonly RestItem[]): boolean {
	const bare = utf8(encodeHashedJson({ ...rest, items: [] })).length - '[]'.length;
	return bare + utf8(JSON.stringify(listed)).length <= HASHED_JSON_BYTES_MAX;
}
