import type { Sql } from 'postgres';
import { parseDocumentName } from '#documents/document-name.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { firstColumns } from '#server/relay/first-names.ts';
import type { Difference } from './differences.ts';
import type { FactRow } from './project-again.ts';

/** The feed is numbered 1 to its head without a gap, and each digest is that of its text. */
export async function verifyFeed(tx: Sql, scope: string): Promise<readonly Difference[]> {
	const [[feed], gaps, wrong] = await Promise.all([
		tx<{ head: string | null; facts: string; last: string }[]>`
			select (select s from feed_head where business = ${scope}) as head, count(*) as facts,
				coalesce(max(s), 0) as last
			from fact where business = ${scope}`,
		tx<{ s: string }[]>`
			select s from (
				select s, s - coalesce(lag(s) over (order by s), 0) as step
				from fact where business = ${scope}
			) as stepped
			where step <> 1`,
		tx<{ id: string }[]>`
			select code || '-' || n as id from fact
			where business = ${scope} and digest <> ('x' || encode(
				substring(sha256(convert_to(text, 'UTF8')) from 1 for 8), 'hex'))::bit(64)::bigint`
	]);
	const { head = '0', facts = '0', last = '0' } = feed ?? {};
	const ofHead = { check: 'feed', scope } as const;
	return [
		...(Number(head ?? 0) === Number(last)
			? []
			: [{ ...ofHead, what: `the head says ${String(head)}, the last fact ${last}` }]),
		...(facts === last ? [] : [{ ...ofHead, what: `${facts} facts up to number ${last}` }]),
		...gaps.map(({ s }) => ({ ...ofHead, what: `nothing before number ${s}` })),
		...wrong.map(({ id }) => ({ check: 'digests', scope, what: `fact ${id}` }) as const)
	];
}

/** BRIDGE-20. What the bridge between shops and customers passed, because it could not be carried over. */
export async function verifyBridge(tx: Sql, scope: string): Promise<readonly Difference[]> {
	const passed = await tx<{ s: string; id: string | null; reason: string }[]>`
		select bridge_passed.s, code || '-' || n as id, reason
		from bridge_passed left join fact on fact.business = scope and fact.s = bridge_passed.s
		where scope = ${scope} order by bridge_passed.s`;
	return passed.map(({ s, id, reason }) => ({
		...{ check: 'bridge', scope },
		what: `fact ${id ?? 'of none'} (number ${s}) is not carried over: ${reason}`
	}));
}

/** The columns of a fact say what its text says, and its branch what its document's name does. */
export function verifyRow(scope: string, row: FactRow): readonly Difference[] {
	const id = `${row.code}-${row.n}`;
	const parsed = parseFact(row.text);
	const difference = { check: 'facts', scope } as const;
	if (!parsed.ok) {
		return parsed.error === 'unknownKind'
			? []
			: [{ ...difference, what: `fact ${id} cannot be read (${parsed.error})` }];
	}
	const { value: fact } = parsed;
	const { wasCode, wasN, firstDigest } = firstColumns({ fact, text: row.text });
	const first = [wasCode, wasN, firstDigest === null ? null : BigInt.asIntN(64, firstDigest)];
	const said = [fact.id, fact.kind, fact.at.wall, fact.at.counter, fact.on, fact.by, ...first];
	const kept = [
		...[id, row.kind, row.wall, row.counter, row.on_day, row.member],
		...[row.was_code, row.was_n, row.first_digest]
	];
	return isOfBranch(row) && said.every((value, at) => String(value) === String(kept[at]))
		? []
		: [{ ...difference, what: `the columns of fact ${id}` }];
}

/** What came by no document is of the branch that its bringer said. */
function isOfBranch({ document, branch }: FactRow): boolean {
	if (document === null) return true;
	const address = parseDocumentName(document);
	if (!address.ok) return false;
	return branch === ('branch' in address.value ? address.value.branch : null);
}
