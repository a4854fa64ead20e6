import { assert } from '../assert.ts';
import { concatBytes, encodeBase64url } from '../bytes.ts';
import type { CryptoParts } from '../crypto.ts';
import { STATEMENT_RECORDS_MAX } from './limits.ts';
import { compareRecordHashes, recordHashBytes, type RecordHash } from './record-hash.ts';
import type { RecordRest } from './rest.ts';

/** What a statement keeps of the records that it lists: how many, and one hash over their Hs. */
export type StatementList = NonNullable<RecordRest['list']>;

/** Names 1 to 500 distinct records, in whatever order they come (confirmation.md section 4, `list`). */
export async function statementList(
	hs: readonly RecordHash[],
	crypto: CryptoParts
): Promise<StatementList> {
	const isListable = hs.length > 0 && hs.length <= STATEMENT_RECORDS_MAX;
	assert(isListable && new Set(hs).size === hs.length, 'a statement lists 1 to 500 records once');
	const sorted = hs.toSorted(compareRecordHashes).map(recordHashBytes);
	return [hs.length, encodeBase64url(await crypto.sha256(concatBytes(...sorted)))];
}

/**
 * Whether what came beside a record is what its rest speaks of: for a statement the very list that
 * was hashed, for every other record none.
 */
export async function isListOf(
	{ list }: Pick<RecordRest, 'list'>,
	hs: readonly RecordHash[],
	crypto: CryptoParts
): Promise<boolean> {
	if (list === undefined) return hs.length === 0;
	const [count, hash] = list;
	if (hs.length !== count || new Set(hs).size !== count) return false;
	const [, found] = await statementList(hs, crypto);
	return found === hash;
}
