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
import type { DeviceStore, JournalRow, StoreReader, StoreWriter } from '#storage/device-store.ts';
import { arrive } from './arrive.ts';
import type { ArrivedFact } from './arrived-fact.ts';
import { mintIdentity, type Identity } from './identity.ts';
import { digestOf } from './journal-digest.ts';
import { readMeta, writeMeta, type HeirToBe, type MetaValues } from './meta.ts';
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
 * record names the one that was signed anew. Nothing of the old book changes but a note of what the new
 * one is: begun again, it is the same one, and takes in what was written since.
 */
export async function mintAnew(parts: MintAnewParts): Promise<MintedBook> {
	const { keys, minted: identity } = await mintedToBe(parts);
	const signer = await parts.signerOf(keys);
	const store = parts.openBook(identity.business);
	await store.write(['meta'], async (rows) => {
		if ((await readMeta(rows, 'identity')) !== undefined) return;
		await writeMeta(rows, 'identity', identity);
		await writeMeta(rows, 'keys', keys);
	});
	await rewriteRest({ ...parts, store, signer, identity });
	return { identity, store, signer };
}

/**
 * Ends the old book once the new one has all of it: from the transaction that says so nothing more is
 * written there, so that nothing is sold into a book that nobody opens again. Answers whether it ended:
 * one that was claimed after all, in another tab while this one slept, goes on.
 */
export async function handOver(
	parts: Pick<MintAnewParts, 'old' | 'crypto'>,
	book: MintedBook
): Promise<boolean> {
	for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
		const last = await rewriteRest({ ...parts, ...book });
		const became = await parts.old.write(['meta'], (rows) => end(rows, book, last));
		if (became !== 'moved') return became === 'over';
	}
	throw new Error('another tab keeps writing before the book is handed over');
}

async function end(
	rows: StoreWriter,
	{ identity: { business, code } }: MintedBook,
	last: number
): Promise<'over' | 'claimed' | 'moved'> {
	if (await goesOn(rows)) return 'claimed';
	const now = (await readMeta(rows, 'sequence'))?.n ?? 0;
	const heir = await readMeta(rows, 'heir');
	if (now !== last || heir?.minted?.business !== business) return 'moved';
	await writeMeta(rows, 'heir', { ...heir, code });
	return 'over';
}

/** It was claimed, and did not end before. */
async function goesOn(rows: StoreReader): Promise<boolean> {
	const identity = await readMeta(rows, 'identity');
	return identity?.claimed === true && (await readMeta(rows, 'heir'))?.code === undefined;
}

/**
 * A copy of this book was claimed by somebody else before: then another one is minted. One that was
 * handed over to stays what this book ended in.
 */
export async function forgetMinted(old: DeviceStore): Promise<void> {
	await old.write(['meta'], async (rows) => {
		const heir = await readMeta(rows, 'heir');
		if (heir?.code === undefined) await rows.remove('meta', ['heir']);
	});
}

const ATTEMPTS_MAX = 20;

type Minted = HeirToBe & { readonly minted: Identity };

/** Kept before the relay is asked: after a lost answer the same business is asked for again. */
async function mintedToBe({ old, createKeys, signerOf, uuid }: MintAnewParts): Promise<Minted> {
	const keys = await createKeys();
	const { publicKey } = await signerOf(keys);
	const fresh = { keys, minted: mintIdentity({ uuid, publicKey }) };
	return old.write(['meta'], async (rows) => {
		const before = await readMeta(rows, 'identity');
		assert(before?.claimed === false, 'a book that was claimed keeps its business');
		const held = await readMeta(rows, 'heir');
		if (held?.minted !== undefined) return { ...held, minted: held.minted };
		await writeMeta(rows, 'heir', fresh);
		return fresh;
	});
}

const CARRIED_META: readonly (keyof MetaValues)[] = ['sequence', 'stamp', 'offset', 'cart'];

interface Rest extends Rewriting, Pick<MintAnewParts, 'old'> {
	readonly store: DeviceStore;
}

/**
 * Writes again what the new book lacks, and answers the last number of the old one that it has then. One
 * that was handed over has all of it, and may be written in by now: a tab that comes late changes nothing.
 */
async function rewriteRest({ old, store, ...rewriting }: Rest): Promise<number> {
	const { from, known } = await store.read(['meta', 'journal'], async (rows) => ({
		from: (await readMeta(rows, 'sequence'))?.n ?? 0,
		known: await rows.all('journal')
	}));
	const held = await old.read(['meta', 'journal'], async (rows) => ({
		journal: await rows.all('journal'),
		last: (await readMeta(rows, 'sequence'))?.n ?? 0,
		meta: await rows.getMany('meta', CARRIED_META),
		isOver: (await readMeta(rows, 'heir'))?.code !== undefined
	}));
	if (held.isOver) return held.last;
	assert(held.last >= from, 'nothing is written in a book that was not handed over');
	const rest = held.journal.filter(({ n }) => n > from);
	const named = rest.length === 0 ? [] : held.journal;
	const hashes = await hashesOf(named, known, rewriting);
	const again = await rewrite(rest, { ...rewriting, hashes });
	const arrived = again.flatMap((one) => one.arrived ?? []);
	const { business } = rewriting.identity;
	const folding = { business, folds: await foldsFor(arrived) };
	await store.write(['journal', ...READ_MODEL_TABLES], async (rows) => {
		// Another tab may have done it meanwhile.
		if (((await readMeta(rows, 'sequence'))?.n ?? 0) !== from) return;
		await rows.put(
			'meta',
			held.meta.filter((row) => row !== undefined)
		);
		await rows.put(
			'journal',
			again.map(({ row }) => row)
		);
		await foldArrived(rows, arrived, folding);
	});
	return held.last;
}

/** What the records that were signed anew already are called now. */
async function hashesOf(
	before: readonly JournalRow[],
	after: readonly JournalRow[],
	{ crypto }: Pick<Rewriting, 'crypto'>
): Promise<Hashes> {
	const textByN = new Map(after.map(({ n, text }) => [n, text]));
	const hashes: Hashes = new Map();
	for (const { n, text } of before) {
		const now = recordsIn(textByN.get(n));
		for (const [place, old] of recordsIn(text).entries()) {
			const again = now[place];
			if (again === undefined) continue;
			hashes.set(await recordHash(old.signed.a, crypto), await recordHash(again.signed.a, crypto));
		}
	}
	return hashes;
}

function recordsIn(text: string | undefined): readonly FactRecord[] {
	const parsed = parseFact(text ?? '');
	return parsed.ok ? effectsOf(parsed.value).records : [];
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
	{ hashes, ...rewriting }: Rewriting & { readonly hashes: Hashes }
): Promise<readonly Rewritten[]> {
	const { crypto, identity } = rewriting;
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
