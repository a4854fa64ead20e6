import { recordHash, type RecordHash } from '#domain/confirmation/record-hash.ts';
import { parseRecordCore } from '#domain/confirmation/record.ts';
import type { RecordRest } from '#domain/confirmation/rest.ts';
import { signRecord } from '#domain/confirmation/signed-record.ts';
import { statementList } from '#domain/confirmation/statement-list.ts';
import type { CryptoParts, Signer } from '#domain/crypto.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact, FactRecord } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { assert } from '#domain/assert.ts';
import { formatDocumentName, parseDocumentName } from '#documents/document-name.ts';
import type { BusinessId } from '#domain/ids.ts';
import type { DeviceStore, JournalRow } from '#storage/device-store.ts';
import { arrive, type ArrivedFact } from './arrived-fact.ts';
import { digestOf } from './heir.ts';
import { mintIdentity, type Identity } from './identity.ts';
import { readMeta, writeMeta } from './meta.ts';
import { foldArrived, foldsFor, READ_MODEL_TABLES } from './read-model.ts';

export interface MintAnewParts {
	/** The book whose business the relay knows as somebody else's. */
	readonly old: DeviceStore;
	readonly openBook: (business: BusinessId) => DeviceStore;
	readonly createKeys: () => Promise<CryptoKeyPair>;
	readonly signerOf: (keys: CryptoKeyPair) => Promise<Signer>;
	readonly crypto: CryptoParts;
	readonly uuid: { readonly v4: () => string };
}

export interface MintedBook {
	readonly identity: Identity;
	readonly store: DeviceStore;
	readonly signer: Signer;
}

/**
 * HEIR-7. Makes of a book that was never claimed the book of another business, with ids, key and
 * signatures of its own: everything in it is written again under the same numbers, and what named a
 * record names the one that was signed anew. The old book stays as it is.
 */
export async function mintAnew(parts: MintAnewParts): Promise<MintedBook> {
	const keys = await parts.createKeys();
	const signer = await parts.signerOf(keys);
	const held = await parts.old.read(['meta', 'journal'], async (rows) => ({
		before: await readMeta(rows, 'identity'),
		sequence: await readMeta(rows, 'sequence'),
		stamp: await readMeta(rows, 'stamp'),
		cart: await readMeta(rows, 'cart'),
		offset: await readMeta(rows, 'offset'),
		journal: await rows.all('journal')
	}));
	const { before, sequence, stamp, cart, offset, journal } = held;
	assert(before?.claimed === false, 'a book that was claimed keeps its business');
	const identity = mintIdentity({ uuid: parts.uuid, publicKey: signer.publicKey });
	const again = await rewrite(journal, { ...parts, signer, identity });
	const arrived = again.flatMap((one) => one.arrived ?? []);
	const folding = { business: identity.business, folds: await foldsFor(arrived) };
	const store = parts.openBook(identity.business);
	await store.write(['journal', ...READ_MODEL_TABLES], async (rows) => {
		await writeMeta(rows, 'identity', identity);
		await writeMeta(rows, 'keys', keys);
		if (sequence !== undefined) await writeMeta(rows, 'sequence', sequence);
		if (stamp !== undefined) await writeMeta(rows, 'stamp', stamp);
		if (offset !== undefined) await writeMeta(rows, 'offset', offset);
		if (Array.isArray(cart)) await writeMeta(rows, 'cart', cart);
		await rows.put(
			'journal',
			again.map(({ row }) => row)
		);
		await foldArrived(rows, arrived, folding);
	});
	return { identity, store, signer };
}

interface Rewriting extends Pick<MintAnewParts, 'crypto'> {
	readonly signer: Signer;
	readonly identity: Identity;
}

interface Rewritten {
	readonly row: JournalRow;
	readonly arrived: ArrivedFact | undefined;
}

/** In the order in which they were written: a record is named by later ones alone. */
async function rewrite(
	journal: readonly JournalRow[],
	rewriting: Rewriting
): Promise<readonly Rewritten[]> {
	const { crypto, identity } = rewriting;
	const hashes = new Map<RecordHash, RecordHash>();
	const again: Rewritten[] = [];
	for (const row of journal) {
		const parsed = parseFact(row.text);
		const fact = parsed.ok ? await rewriteFact(parsed.value, hashes, rewriting) : undefined;
		const text = fact === undefined ? row.text : encodeFact(fact);
		const document = documentAs(row.document, identity);
		const digest = await digestOf(text, crypto);
		const arrived = await arrive({ text, branch: identity.branch }, crypto);
		again.push({ row: { ...row, document, text, digest, sent: 0 }, arrived });
	}
	return again;
}

function documentAs(name: string, { business, branch }: Identity): string {
	const address = parseDocumentName(name);
	assert(address.ok && 'branch' in address.value, 'a device writes into its branch’s journals');
	return formatDocumentName({ ...address.value, business, branch });
}

type Hashes = Map<RecordHash, RecordHash>;

async function rewriteFact(fact: Fact, hashes: Hashes, rewriting: Rewriting): Promise<Fact> {
	const now = (h: RecordHash): RecordHash => hashes.get(h) ?? h;
	switch (fact.kind) {
		case 'sale':
		case 'return': {
			if (fact.record === undefined) return fact;
			const record = await signAnew(fact.record, { now, list: [], hashes }, rewriting);
			return { ...fact, record };
		}
		case 'record': {
			const list = effectsOf(fact).list.map(now);
			const records: FactRecord[] = [];
			for (const record of fact.records)
				records.push(await signAnew(record, { now, list, hashes }, rewriting));
			const { answer } = fact;
			return {
				...fact,
				records,
				...(fact.list !== undefined && { list }),
				...(answer !== undefined && { answer: { ...answer, h: now(answer.h) } })
			};
		}
		case 'entry': {
			const { row } = fact;
			if (row[0] !== 'dueMove') return fact;
			const [kind, h, dueMs, reason] = row;
			return { ...fact, row: [kind, now(h), dueMs, reason] };
		}
		default:
			return fact;
	}
}

interface Naming {
	readonly now: (h: RecordHash) => RecordHash;
	/** What a statement lists, as it is called now. */
	readonly list: readonly RecordHash[];
	readonly hashes: Hashes;
}

/** The same record of another business, by another key; from now on it is known by its new hash. */
async function signAnew(
	{ core: before, rest: said, signed: old }: FactRecord,
	{ now, list, hashes }: Naming,
	{ crypto, signer, identity }: Rewriting
): Promise<FactRecord> {
	const rest: RecordRest = {
		...said,
		br: identity.branch,
		u: identity.person,
		...(said.ref !== undefined && { ref: now(said.ref) }),
		...(said.for !== undefined && { for: said.for.map(([h, minor]) => [now(h), minor] as const) }),
		...(said.list !== undefined && { list: await statementList(list, crypto) })
	};
	const core = { ...before, businessId: identity.business };
	const signed = await signRecord({ core, rest }, signer, crypto);
	hashes.set(await recordHash(old.a, crypto), await recordHash(signed.a, crypto));
	const written = parseRecordCore(signed.a);
	assert(written.ok, 'a core we wrote is a core');
	return { signed, core: written.value, rest };
}
