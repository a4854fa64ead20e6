import type { Sql } from 'postgres';
import { parseFactId } from '#domain/ids.ts';
import { factKey, type Submission } from './submission.ts';

interface Asked {
	readonly business: string;
	readonly code: string;
	readonly n: number;
	/** Of the text that was told under the name. */
	readonly bytes: number;
}

/**
 * RELAY-80. The texts of those facts of the batch that the database has, by `factKey`; null where it is
 * none of those that the batch tells. A text is read only where it is as long as one that was told
 * under its name, and once: however little names how much, no more comes than was sent.
 */
export async function readKnown(
	tx: Sql,
	batch: readonly Submission[]
): Promise<Map<string, string | null>> {
	const asked = askedIn(batch);
	const rows = await tx<{ business: string; code: string; n: string; text: string | null }[]>`
		select fact.business, fact.code, fact.n,
			case when octet_length(fact.text) = asked.bytes then fact.text end as text
		from fact join unnest(
			${asked.map(({ business }) => business)}::uuid[],
			${asked.map(({ code }) => code)}::text[],
			${asked.map(({ n }) => n)}::bigint[],
			${asked.map(({ bytes }) => bytes)}::int[]
		) as asked (business, code, n, bytes)
		on fact.business = asked.business and fact.code = asked.code collate "C" and fact.n = asked.n`;
	const known = new Map<string, string | null>();
	for (const { business, code, n, text } of rows) {
		const key = factKey(business, `${code}-${n}`);
		known.set(key, text ?? known.get(key) ?? null);
	}
	return known;
}

/** Each name with each length once. */
function askedIn(batch: readonly Submission[]): readonly Asked[] {
	const asked = new Map<string, Asked>();
	for (const { caller, checks } of batch) {
		for (const [{ key, text = '' }, check] of checks) {
			const parsed = parseFactId(key ?? (check.ok ? check.value.id : ''));
			if (!parsed.ok) continue;
			const { id, code, n } = parsed.value;
			const bytes = Buffer.byteLength(text);
			const business = caller.scope;
			asked.set(`${factKey(business, id)} ${String(bytes)}`, { business, code, n, bytes });
		}
	}
	return Array.from(asked.values());
}
