import { encodeBase64url } from '#domain/bytes.ts';
import { dayNumber } from '#domain/calendar.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import { parseRecordId } from '#domain/confirmation/record.ts';
import type { RecordRest } from '#domain/confirmation/rest.ts';
import {
	encodeSignedRecord,
	readRecord,
	signRecord,
	type SignedRecordForm
} from '#domain/confirmation/signed-record.ts';
import { statementList } from '#domain/confirmation/statement-list.ts';
import { encodeClaim } from '#domain/confirmation/claim.ts';
import { spokenCode } from '#domain/confirmation/codes.ts';
import { encodeVerdict, type VerdictResult } from '#domain/confirmation/verdict.ts';
import type { Signer } from '#domain/crypto.ts';
import type {
	BookedMore,
	CardFields,
	CodesFields,
	ReplyFact,
	ToldRow
} from '#domain/fact/ledger-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import {
	parseBranchId,
	parseBusinessId,
	parseDeviceCode,
	parseLedgerId,
	parsePersonId,
	type BusinessId,
	type LedgerId,
	type PersonId
} from '#domain/ids.ts';
import { createSigner, createSigningKeys, createWebCrypto } from '#state/web-crypto.ts';
import { sure } from './sure.ts';

/**
 * A shop and the relay between it and a customer, in memory: what the shop writes comes out twice,
 * as facts of the shop's own scope and as those that the relay makes of it for the person.
 */
export interface CustomerStand {
	readonly person: PersonId;
	readonly business: BusinessId;
	readonly ledger: LedgerId;
	readonly signer: Signer;
	/** Every fact of the person so far, in the relay's order. */
	readonly texts: string[];
	/** The same acts as the shop's book has them. */
	readonly shopTexts: string[];
	/** The relay's clock, ms; each fact moves it by a second. */
	now: number;
	/** Another shop, or the same under another ledger; of this person and this relay. */
	readonly card: (fields?: Partial<CardFields>) => string;
	/** Writes and signs a record, and files it with the person. */
	readonly book: (draft: BookDraft) => Promise<RecordHash>;
	/** The relay files the person's answer. */
	readonly file: (replyText: string, key?: Uint8Array) => string;
	readonly judge: (h: RecordHash, result: VerdictResult, by?: JudgedBy) => string;
	readonly tell: (row: ToldRow) => string;
	readonly codes: (fields: Partial<CodesFields>) => string;
	/** A fact of the person's scope by its kind and body. */
	readonly fact: (kind: string, ...body: readonly unknown[]) => string;
}

/** By a sheet's code where left out, of the set that the last card or codes name. */
export interface JudgedBy {
	readonly way?: 'sheet' | 'app' | 'sms';
	/** Another each time where left out. */
	readonly counter?: number;
	/** Wrong codes of the ledger so far. */
	readonly wrong?: number;
}

export interface BookDraft {
	readonly kind: RecordKind;
	readonly minor: number;
	readonly ref?: RecordHash;
	readonly due?: number;
	readonly note?: string;
	readonly on?: string;
	readonly occurredAt?: number;
	readonly currency?: string;
	/** Signs in the place of the shop. */
	readonly signer?: Signer;
	/** Of an earlier record. */
	readonly record?: string;
	readonly more?: BookedMore;
}

export const STAND_NOW = Date.parse('2026-11-20T10:00:00Z');
const SECOND_MS = 1_000;
const crypto = createWebCrypto();

export async function createCustomerStand(
	options: { readonly number?: number; readonly signer?: Signer } = {}
): Promise<CustomerStand> {
	const { number = 1 } = options;
	const signer = options.signer ?? (await createSigner(await createSigningKeys()));
	const business = sure(parseBusinessId(uuid(number, 0xb)));
	const ledger = sure(parseLedgerId(uuid(number, 0xc)));
	const person = sure(parsePersonId(uuid(1, 0xe)));
	let relayN = number * 10_000;
	let shopN = 0;
	let seq = 0;
	let epoch = 1;
	const minorByHash = new Map<RecordHash, number>();

	function write(into: string[], id: string, rest: readonly unknown[]): string {
		stand.now += SECOND_MS;
		const [kind, ...body] = rest;
		const isRelay = id.startsWith('0.');
		const day = dayNumber('2026-11-20');
		const text = JSON.stringify([id, kind, stand.now, 0, day, isRelay ? 0 : 1, ...body]);
		const parsed = parseFact(text);
		if (!parsed.ok) throw new Error(`the stand wrote no fact: ${parsed.error} ${text}`);
		into.push(text);
		return text;
	}
	const relay = (kind: string, ...body: readonly unknown[]): string =>
		write(stand.texts, `0.1-${String((relayN += 1))}`, [kind, ...body]);
	const shopRelay = (kind: string, ...body: readonly unknown[]): string =>
		write(stand.shopTexts, `0.1-${String((relayN += 1))}`, [kind, ...body]);

	const stand: CustomerStand = {
		person,
		business,
		ledger,
		signer,
		texts: [],
		shopTexts: [],
		now: STAND_NOW + number,
		fact: relay,
		card: (fields = {}) => {
			epoch = fields.epoch ?? epoch;
			return relay('card', business, ledger, {
				shop: `Shop ${String(number)}`,
				phone: '+254700000000',
				address: 'Market Road',
				zone: 'Africa/Nairobi',
				state: 'linked',
				way: 'app',
				at: stand.now,
				epoch,
				currency: 'KES',
				exponent: 2,
				decimals: 0,
				devices: [['A', encodeBase64url(signer.publicKey), 0, 0]],
				...fields
			});
		},
		book: async (draft) => {
			shopN += 1;
			const { h, form } = await signedRecord(draft, {
				business,
				ledger,
				signer: draft.signer ?? signer,
				n: shopN,
				at: stand.now
			});
			minorByHash.set(h, draft.minor);
			const { answer, list } = draft.more ?? {};
			const more = { ...(answer !== undefined && { answer }), ...(list !== undefined && { list }) };
			const isBare = Object.keys(more).length === 0;
			write(stand.shopTexts, `A-${String(shopN)}`, ['record', [form], ...(isBare ? [] : [more])]);
			relay('booked', business, ledger, form, { writer: 'Owner', d: 'A', ...draft.more });
			return h;
		},
		file: (replyText, key = signer.publicKey) => {
			const reply = replyOf(replyText);
			const { h, decision, answerN: n, signedAt, sig, reason, note } = reply;
			const point = encodeBase64url(key);
			const body = [reply.ledgerId, h, decision, n, signedAt, sig, point, reason, note];
			stand.now += SECOND_MS;
			const before = stand.now;
			shopRelay('answered', ...body);
			stand.now = before;
			return relay('filed', reply.businessId, ...body);
		},
		judge: (h, result, { way = 'sheet', counter = 1_001 + seq, wrong = 0 } = {}) => {
			seq += 1;
			const v = encodeBase64url(
				encodeVerdict({
					result,
					al: result === 'ok' ? 1 : 0,
					h,
					relayEpoch: 1,
					seq,
					at: stand.now,
					claimHash: new Uint8Array(32),
					previous: new Uint8Array(32)
				})
			);
			const claimId = uuid(seq, 0x7, '7');
			const sheetCode = 10_000_000 * (1 + (counter % 9)) + epoch;
			const typed = {
				sheet: { counter, code: String(sheetCode) },
				app: { code: spokenCode(String(sheetCode + 100 * (minorByHash.get(h) ?? 0))) },
				sms: { counter: 0, code: '482177' }
			};
			const writer = { d: sure(parseDeviceCode('A')), u: sure(parsePersonId(uuid(2, 0xe))) };
			const claim = encodeClaim({ id: claimId, h, way, ...typed[way], ...writer, at: stand.now });
			shopN += 1;
			const sig = encodeBase64url(new Uint8Array(64));
			write(stand.shopTexts, `A-${String(shopN)}`, ['claim', JSON.parse(claim), sig]);
			const body = [ledger, claimId, v, sig, KID, wrong];
			shopRelay('verdict', ...body);
			return relay('judged', business, ...body, way, counter);
		},
		tell: (row) => relay('told', business, ledger, row),
		codes: (fields) => {
			epoch = fields.epoch ?? epoch;
			return relay('codes', business, ledger, {
				epoch,
				kind: 'debit',
				currency: 'KES',
				exponent: 2,
				cap: 500_000,
				issuedAt: stand.now,
				open: [1, 2, 3, 4, 5],
				used: [],
				...fields
			});
		}
	};
	return stand;
}

const KID = encodeBase64url(new Uint8Array(8));

interface Signing {
	readonly business: BusinessId;
	readonly ledger: LedgerId;
	readonly signer: Signer;
	readonly n: number;
	readonly at: number;
}

async function signedRecord(
	draft: BookDraft,
	{ business, ledger, signer, n, at }: Signing
): Promise<{ readonly h: RecordHash; readonly form: SignedRecordForm }> {
	const list = draft.more?.list;
	const rest: RecordRest = {
		br: sure(parseBranchId(uuid(1, 0xa))),
		d: sure(parseDeviceCode('A')),
		n,
		u: sure(parsePersonId(uuid(2, 0xe))),
		on: draft.on ?? '2026-11-20',
		...(draft.ref !== undefined && { ref: draft.ref }),
		...(draft.due !== undefined && { due: draft.due }),
		...(draft.note !== undefined && { note: draft.note }),
		...(list !== undefined && { list: await statementList(list, crypto) })
	};
	const core = {
		kind: draft.kind,
		isMadeOffline: false,
		currency: draft.currency ?? 'KES',
		exponent: 2,
		amount: draft.minor,
		occurredAt: draft.occurredAt ?? at,
		businessId: business,
		ledgerId: ledger,
		recordId: sure(parseRecordId(draft.record ?? uuid(n, 0xd, '7'))),
		balanceAfter: 0
	};
	const signed = await signRecord({ core, rest }, signer, crypto);
	const { h } = sure(await readRecord(signed, crypto));
	return { h, form: encodeSignedRecord(signed) };
}

function replyOf(text: string): ReplyFact {
	const fact = sure(parseFact(text));
	if (fact.kind !== 'reply') throw new Error('the relay files answers only');
	return fact;
}

/** A UUID that a number and a letter name. */
export function uuid(number: number, letter: number, version = '4'): string {
	const tail = number.toString(16).padStart(11, '0');
	return `0192f0c1-7a00-${version}000-8000-${letter.toString(16)}${tail}`;
}
