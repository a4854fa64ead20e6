import { parseRecordCore } from '#domain/confirmation/record.ts';
import { parseRest } from '#domain/confirmation/rest.ts';
import { parseSignedRecord } from '#domain/confirmation/signed-record.ts';
import type { FactRecord } from './fact.ts';

/** A signed record inside a fact; null where its bytes are not in order. */
export function parseFactRecord(value: unknown): FactRecord | null {
	const signed = parseSignedRecord(value);
	if (!signed.ok) return null;
	const core = parseRecordCore(signed.value.a);
	const rest = parseRest(signed.value.rest);
	return core.ok && rest.ok ? { signed: signed.value, core: core.value, rest: rest.value } : null;
}
