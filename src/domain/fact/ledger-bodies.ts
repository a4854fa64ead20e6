import { decodeBase64url } from '#domain/bytes.ts';
import { parseDayNumber } from '#domain/calendar.ts';
import { encodeClaim, parseClaim, type Claim } from '#domain/confirmation/claim.ts';
import { parseRecordHash } from '#domain/confirmation/record-hash.ts';
import { encodeSignedRecord } from '#domain/confirmation/signed-record.ts';
import { DECISIONS } from '#domain/confirmation/signatures.ts';
import { parseVerdict } from '#domain/confirmation/verdict.ts';
import { KID_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '#domain/crypto.ts';
import {
	isRelayCode,
	parseBusinessId,
	parseDeviceCode,
	parseFactId,
	parseLedgerId
} from '#domain/ids.ts';
import { AMOUNT_MINOR_MAX } from '#domain/money.ts';
import type { Result } from '#domain/result.ts';
import { STAMP_COUNTER_MAX } from '#domain/stamp.ts';
import { NAME_LENGTH_MAX, type FactHead, type FactRecord, type RelaySignedFact } from './fact.ts';
import { isDeviceFields, isMemberFields } from './fields.ts';
import {
	ANSWER_WAYS,
	ASK_STATES,
	BEFORE_MAX,
	BOOKED_LINES_MAX,
	CANCEL_REASONS,
	LINK_STATES,
	LINK_WAYS,
	LIST_MAX,
	PENDING_TENDERS,
	SHEET_KINDS,
	SIDES,
	SLIP_SIDES,
	type LedgerFact,
	type PersonFact
} from './ledger-fact.ts';
import { parseFactRecord } from './parse-fact-record.ts';
import { hasOnly, isAmount, isListOf, isOneOf, isText, isTuple, isWhole } from './shape.ts';

/** Kinds whose body is a list of parts, each read and written by itself. */
export type ListedFact = LedgerFact | PersonFact | RelaySignedFact;
export type ListedKind = ListedFact['kind'];

/** One part of a body. `read` answers undefined for what is not of its form. */
interface Part {
	readonly name: string;
	readonly read: (value: unknown) => unknown;
	readonly write: (value: never) => unknown;
	/** May be left out; the last of its body. */
	readonly isOptional?: true;
}

interface Body {
	/** Who writes it: the relay alone, or a device or phone. */
	readonly by: 'relay' | 'device' | 'phone';
	readonly parts: readonly Part[];
	/** What no part can tell alone. */
	readonly agrees?: (fact: Record<string, unknown>) => boolean;
}

/** Reads a body; null where it is not of the kind's form or not this author's to write. */
export function parseListed(
	kind: ListedKind,
	head: FactHead,
	body: readonly unknown[]
): ListedFact | null {
	const form = BODIES[kind];
	const { parts } = form;
	if (authorOf(head.code) !== form.by || body.length > parts.length) return null;
	const fact: Record<string, unknown> = { ...head, kind };
	for (const [place, { name, read, isOptional }] of parts.entries()) {
		if (isOptional && place === body.length) break;
		const value = read(body[place]);
		if (value === undefined) return null;
		fact[name] = value;
	}
	if (form.agrees?.(fact) === false) return null;
	// Each part was read by its own form.
	return fact as unknown as ListedFact;
}

export function encodeListed(fact: ListedFact): readonly unknown[] {
	const values = fact as unknown as Readonly<Record<string, never>>;
	return BODIES[fact.kind].parts
		.filter(({ name, isOptional }) => !isOptional || Object.hasOwn(values, name))
		.map(({ name, write }) => write(values[name] as never));
}

function authorOf(code: string): Body['by'] {
	if (isRelayCode(code)) return 'relay';
	return code.startsWith('p') ? 'phone' : 'device';
}

const CURRENCY_FORM = /^[A-Z]{3}$/;
const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NOTE_LENGTH_MAX = 500;
const COUNT_MAX = 1_000_000_000;
const TIME_MAX_MS = 8_640_000_000_000;
const CHECK_MAX = 1_023;
const OPEN_MAX = 50;
const DEVICES_MAX = 500;
const MEMBER_MAX = 1_000_000;

const isName = (value: unknown): value is string => isText(value, NAME_LENGTH_MAX);
const isNote = (value: unknown): value is string => isText(value, NOTE_LENGTH_MAX);
const isTime = (value: unknown): value is number => isWhole(value, 0, TIME_MAX_MS);
const isCount = (value: unknown): value is number => isWhole(value, 0, COUNT_MAX);
const isMinor = (value: unknown): value is number => isWhole(value, 1, AMOUNT_MINOR_MAX);
const isHash = (value: unknown): boolean => parseRecordHash(value).ok;
const isLedger = (value: unknown): boolean => parseLedgerId(value).ok;
const isUuid = (value: unknown): boolean => typeof value === 'string' && UUID_FORM.test(value);
const isCurrency = (value: unknown): boolean =>
	typeof value === 'string' && CURRENCY_FORM.test(value);
const isExponent = (value: unknown): boolean => isWhole(value, 0, 4);
const isDay = (value: unknown): boolean => typeof value === 'number' && parseDayNumber(value).ok;
const isMember = (value: unknown): boolean => isWhole(value, 1, MEMBER_MAX);
const isDevice = (value: unknown): boolean => parseDeviceCode(value).ok;
const isFactName = (value: unknown): boolean => parseFactId(value).ok;
const isDeviceFactName = (value: unknown): boolean => {
	const parsed = parseFactId(value);
	return parsed.ok && parseDeviceCode(parsed.value.code).ok;
};
const oneOf =
	(allowed: readonly string[]) =>
	(value: unknown): boolean =>
		isOneOf(value, allowed);
const bytesOf =
	(length: number) =>
	(value: unknown): boolean => {
		if (typeof value !== 'string') return false;
		const bytes = decodeBase64url(value);
		return bytes.ok && bytes.value.length === length;
	};
const isSignature = bytesOf(SIGNATURE_BYTES);
const isKid = bytesOf(KID_BYTES);
const isPoint = bytesOf(PUBLIC_KEY_BYTES);

type Check = (value: unknown) => boolean;

/** A part that travels as it is. */
function plain(name: string, check: Check): Part {
	return { name, read: (value) => (check(value) ? value : undefined), write: (value) => value };
}

function tuple(...checks: readonly Check[]): Check {
	return (value) =>
		isTuple(value, checks.length) && checks.every((check, place) => check(value[place]));
}

function listOf(lengthMax: number, check: Check): Check {
	return (value) =>
		isListOf(value, { min: 0, max: lengthMax }, (row): row is unknown => check(row));
}

function fields(checks: Readonly<Record<string, Check>>, isWholeObject = false): Check {
	const forms = new Map(Object.entries(checks));
	return (value) => {
		if (!hasOnly(value, forms)) return false;
		const count = Object.keys(value).length;
		return isWholeObject ? count === forms.size : count > 0;
	};
}

/** One of several tuples, by the word that each begins with. */
function rowOf(forms: Readonly<Record<string, readonly Check[]>>): Check {
	return (value) => {
		if (!Array.isArray(value) || typeof value[0] !== 'string') return false;
		const kind = value[0];
		const checks = Object.hasOwn(forms, kind) ? forms[kind] : undefined;
		return checks !== undefined && tuple(() => true, ...checks)(value);
	};
}

function valueOf<T>(result: Result<T, unknown>): T | undefined {
	return result.ok ? result.value : undefined;
}

const PROMISE = [isDay, isMinor, isCurrency, isExponent];
const DUE_MOVE = [isHash, isTime, isNote];

const isEntryRow = rowOf({
	promise: PROMISE,
	dueMove: DUE_MOVE,
	writeOff: [isMinor, isCurrency, isExponent, isNote],
	pending: [isMinor, isCurrency, isExponent, oneOf(PENDING_TENDERS), isNote],
	bounced: [isFactName],
	slip: [oneOf(SLIP_SIDES), isMinor, isCurrency, isExponent, isNote],
	slipDone: [isFactName]
});
const isToldRow = rowOf({ promise: PROMISE, dueMove: DUE_MOVE, insist: [isHash, isNote] });
const NAMELESS_ROWS = ['slip', 'slipDone'];

const isAskFields = fields({
	by: oneOf(SIDES),
	username: isName,
	name: isName,
	ledger: isLedger,
	state: oneOf(ASK_STATES)
});
const isLinkFields = fields({
	state: oneOf(LINK_STATES),
	way: oneOf(LINK_WAYS),
	username: isName,
	name: isName,
	epoch: isCount,
	at: isTime,
	since: isTime,
	endedBy: oneOf(SIDES),
	phoneEnd: (value) => typeof value === 'string' && /^[0-9]{0,3}$/.test(value)
});
const SET_OF_CODES = {
	epoch: isCount,
	kind: oneOf(SHEET_KINDS),
	currency: isCurrency,
	exponent: isExponent,
	cap: isMinor,
	issuedAt: isTime
};
const isSheetFields = fields(
	{
		...SET_OF_CODES,
		open: listOf(
			OPEN_MAX,
			tuple(isCount, (value) => isWhole(value, 0, CHECK_MAX))
		),
		kid: isKid,
		sig: isSignature
	},
	true
);
const isCodesFields = fields(
	{ ...SET_OF_CODES, open: listOf(OPEN_MAX, isCount), used: listOf(OPEN_MAX, isCount) },
	true
);
const isCardFields = fields({
	shop: isName,
	phone: isName,
	address: isNote,
	zone: isName,
	state: oneOf(['linked', 'ended']),
	way: oneOf(LINK_WAYS),
	at: isTime,
	since: isTime,
	endedBy: oneOf(SIDES),
	epoch: isCount,
	secret: isKid,
	currency: isCurrency,
	exponent: isExponent,
	decimals: isExponent,
	devices: listOf(
		DEVICES_MAX,
		tuple((code) => parseDeviceCode(code).ok, isPoint, isTime, isTime)
	),
	relayKey: isPoint,
	before: listOf(BEFORE_MAX, tuple(isTime, isTime, oneOf(LINK_WAYS), isTime))
});
const isAskedFields = fields({
	by: oneOf(SIDES),
	shop: isName,
	username: isName,
	business: (value) => parseBusinessId(value).ok,
	state: oneOf(ASK_STATES)
});
const isBookedMore = (value: unknown): boolean =>
	hasOnly(
		value,
		new Map<string, Check>([
			['writer', isName],
			['d', (code) => parseDeviceCode(code).ok],
			['lines', listOf(BOOKED_LINES_MAX, tuple(isName, isAmount, isAmount, isAmount))],
			['tenders', listOf(8, tuple(isName, isAmount))],
			['answer', tuple(isHash, oneOf(ANSWER_WAYS), isNote)],
			['list', listOf(LIST_MAX, isHash)],
			['late', (flag) => flag === true]
		])
	);

const business = plain('businessId', (value) => parseBusinessId(value).ok);
const ledger = plain('ledgerId', isLedger);
const hash = plain('h', isHash);
const VERDICT_PARTS: readonly Part[] = [
	ledger,
	plain('claimId', isUuid),
	plain('v', (value) => readVerdict(value) !== undefined),
	plain('sig', isSignature),
	plain('kid', isKid),
	plain('wrong', isCount)
];
/** A signed answer; `signer` names the key it is checked by. */
const answerParts = (signer: Part): readonly Part[] => [
	ledger,
	hash,
	plain('decision', oneOf(Object.keys(DECISIONS))),
	plain('answerN', (value) => isWhole(value, 1, 255)),
	plain('signedAt', isTime),
	plain('sig', isSignature),
	signer,
	plain('reason', (value) => value === 0 || isOneOf(value, CANCEL_REASONS)),
	plain('note', isNote)
];
const ANSWERED_PARTS = answerParts(plain('key', isPoint));
const isReasoned = ({ decision, reason }: Readonly<Record<string, unknown>>): boolean =>
	decision === 'cancel' || reason === 0;

function readVerdict(value: unknown): unknown {
	const bytes = typeof value === 'string' ? valueOf(decodeBase64url(value)) : undefined;
	return bytes === undefined ? undefined : valueOf(parseVerdict(bytes));
}

/** The signed bytes stand in the text; what they say stands beside them in the fact. */
function withVerdict(fact: Record<string, unknown>): boolean {
	fact['verdict'] = readVerdict(fact['v']);
	return true;
}

/** Absent in what relays wrote before they signed. */
const RELAYS_SIGNATURE: Part = { ...plain('sig', isSignature), isOptional: true };

const BODIES: Readonly<Record<ListedKind, Body>> = {
	claim: {
		by: 'device',
		parts: [
			{
				name: 'claim',
				read: (value) => valueOf(parseClaim(JSON.stringify(value))),
				write: (claim: Claim) => JSON.parse(encodeClaim(claim)) as unknown
			},
			plain('sig', isSignature)
		]
	},
	entry: {
		by: 'device',
		parts: [plain('ledgerId', (value) => value === 0 || isLedger(value)), plain('row', isEntryRow)],
		agrees: ({ ledgerId, row }) =>
			Array.isArray(row) && NAMELESS_ROWS.includes(String(row[0])) === (ledgerId === 0)
	},
	merge: {
		by: 'device',
		parts: [
			plain('a', isLedger),
			plain('b', isLedger),
			plain('isJoined', (value) => typeof value === 'boolean')
		],
		agrees: ({ a, b }) => String(a) < String(b)
	},
	clock: {
		by: 'relay',
		parts: [
			plain('factId', isDeviceFactName),
			plain('wall', isTime),
			plain('counter', (value) => isWhole(value, 0, STAMP_COUNTER_MAX)),
			plain('day', isDay),
			RELAYS_SIGNATURE
		]
	},
	member: {
		by: 'relay',
		parts: [plain('member', isMember), plain('fields', isMemberFields), RELAYS_SIGNATURE]
	},
	device: {
		by: 'relay',
		parts: [plain('device', isDevice), plain('fields', isDeviceFields), RELAYS_SIGNATURE]
	},
	ask: { by: 'relay', parts: [plain('askId', isUuid), plain('fields', isAskFields)] },
	link: { by: 'relay', parts: [ledger, plain('fields', isLinkFields)] },
	sheet: { by: 'relay', parts: [ledger, plain('fields', isSheetFields)] },
	verdict: { by: 'relay', parts: VERDICT_PARTS, agrees: withVerdict },
	answered: { by: 'relay', parts: ANSWERED_PARTS, agrees: isReasoned },
	saw: { by: 'relay', parts: [ledger, plain('upToMs', isTime)] },
	card: { by: 'relay', parts: [business, ledger, plain('fields', isCardFields)] },
	asked: { by: 'relay', parts: [plain('askId', isUuid), plain('fields', isAskedFields)] },
	booked: {
		by: 'relay',
		parts: [
			business,
			ledger,
			{
				name: 'record',
				read: (value) => parseFactRecord(value) ?? undefined,
				write: ({ signed }: FactRecord) => encodeSignedRecord(signed)
			},
			plain('more', isBookedMore)
		],
		agrees: ({ record, businessId, ledgerId }) => {
			const { core } = record as FactRecord;
			return core.businessId === businessId && core.ledgerId === ledgerId;
		}
	},
	judged: {
		by: 'relay',
		parts: [
			business,
			...VERDICT_PARTS,
			plain('way', oneOf(['sms', 'sheet', 'app', 'sign', 'rule'])),
			plain('counter', isTime)
		],
		agrees: withVerdict
	},
	filed: { by: 'relay', parts: [business, ...ANSWERED_PARTS], agrees: isReasoned },
	told: { by: 'relay', parts: [business, ledger, plain('row', isToldRow)] },
	codes: { by: 'relay', parts: [business, ledger, plain('fields', isCodesFields)] },
	reply: {
		by: 'phone',
		parts: [business, ...answerParts(plain('kid', isKid))],
		agrees: isReasoned
	},
	seen: { by: 'phone', parts: [plain('upToMs', isTime)] }
};
