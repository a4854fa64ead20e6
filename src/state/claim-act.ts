import { encodeBase64url } from '#domain/bytes.ts';
import { encodeClaim, claimMessage, type Claim } from '#domain/confirmation/claim.ts';
import { codeInfo, sheetCheck } from '#domain/confirmation/codes.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { Fact, FactHead } from '#domain/fact/fact.ts';
import type { ClaimFact } from '#domain/fact/ledger-fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { SheetRow, StoreReader, TableName, TryRow } from '#storage/device-store.ts';
import { only } from '#storage/device-store.ts';
import { leftOfTries, oneMoreTry } from './code-tries.ts';
import { CARD_TABLES, readCards } from './fold-tallies.ts';
import type { Claimed, ClaimRefusal, StatementRefusal } from './ledger-acts.ts';
import { readMeta, type SmsSent } from './meta.ts';
import { openSheets, type OpenSheet } from './open-sheets.ts';
import { askedOf, statementFact, type Asked } from './statement-record.ts';
import type { Card } from './tally.ts';
import { readTypedCode, type TypedCode } from './typed-code.ts';
import type { Act, Decided, DeviceParts, Moment } from './write-path.ts';

interface ClaimContext {
	readonly card: Card | undefined;
	readonly sheets: readonly SheetRow[];
	readonly tries: TryRow | undefined;
	readonly sms: Readonly<Record<string, SmsSent>>;
}

interface ClaimQuestion {
	readonly ledger: LedgerId;
	readonly hs: readonly RecordHash[];
	readonly typed: string;
	readonly parts: DeviceParts;
}

const CLAIM_TABLES: readonly TableName[] = [...CARD_TABLES, 'meta', 'sheets', 'tries'];

/**
 * Takes a code that was told at the counter (confirmation.md 5.2 and 5.3). What fits becomes a
 * signed claim, which the relay judges; what does not fit is a try, kept as durably as a claim.
 */
export function claimByCodeAct(
	question: ClaimQuestion
): Act<ClaimContext, Result<Claimed, ClaimRefusal>, ClaimRefusal> {
	const { ledger, hs, typed } = question;
	return {
		tables: CLAIM_TABLES,
		load: (rows) => loadClaim(rows, ledger),
		decide: async (context, moment) => {
			const code = readTypedCode(typed);
			if (!code.ok) return code;
			const asked = askedOf(hs, context.card, moment);
			if (!asked.ok) return asked;
			const { card } = context;
			if (card?.link?.state !== 'linked') return err({ kind: 'notLinked' });
			const of = { ...question, card, asked: asked.value, context, moment };
			return code.value.way === 'sms' ? claimBySms(code.value, of) : claimBySheet(code.value, of);
		}
	};
}

async function loadClaim(rows: StoreReader, ledger: LedgerId): Promise<ClaimContext> {
	const identity = await readMeta(rows, 'identity');
	const cards =
		identity === undefined ? undefined : await readCards(rows, [ledger], identity.business);
	return {
		card: cards?.get(ledger),
		sheets: await rows.find('sheets', only('ledger', ledger)),
		tries: await rows.get('tries', ledger),
		sms: (await readMeta(rows, 'sms')) ?? {}
	};
}

interface Standing extends ClaimQuestion {
	readonly card: Card;
	readonly asked: Asked;
	readonly context: ClaimContext;
	readonly moment: Moment;
}

type Outcome = Promise<Result<Decided<Result<Claimed, ClaimRefusal>>, ClaimRefusal>>;

/** The digits of a message bind the one record they were sent for; only the relay can tell them. */
async function claimBySms({ digits }: TypedCode, of: Standing): Outcome {
	const [record, ...others] = of.asked.records;
	const sent = record === undefined ? undefined : of.context.sms[record.h];
	if (record === undefined || sent === undefined || others.length > 0)
		return err({ kind: 'noSms' });
	if (of.moment.nowMs > sent.expiresAt) return err({ kind: 'smsTooOld' });
	const proof = { way: 'sms', code: digits, counter: sent.send } as const;
	return filed(proof, of, {});
}

async function claimBySheet({ digits }: TypedCode, of: Standing): Outcome {
	const sheet = sheetFor(of);
	if (!sheet.ok) return sheet;
	const today = of.moment.head(0).on;
	const left = leftOfTries(of.context.tries, of.hs, today);
	if (left.ofRecord === 0) return err({ kind: 'recordLocked' });
	if (left.ofDay === 0) return err({ kind: 'ledgerLocked' });
	const counter = await counterOf(digits, sheet.value, of);
	if (counter === undefined) return missed(of, today);
	const proof = { way: 'sheet', code: digits, counter } as const;
	return filed(proof, of, { left: sheet.value.open.length - 1 });
}

/** The customer's codes of the right kind and currency, where they are worth what is asked. */
function sheetFor({ asked, card, context, moment }: Standing): Result<OpenSheet, ClaimRefusal> {
	const [first] = asked.records;
	const { sheets } = context;
	const found = openSheets({ sheets, sayings: card.sayings, link: card.link }, moment.nowMs).find(
		({ row }) =>
			row.kind === asked.side && row.currency === first?.currency && row.exponent === first.exponent
	);
	if (found === undefined) return err({ kind: 'noCodes' });
	if (found.isTooOld) return err({ kind: 'codesTooOld' });
	const capMinor = found.row.cap;
	if (asked.sumMinor > BigInt(capMinor))
		return err({ kind: 'overTheCap', capMinor, sumMinor: Number(asked.sumMinor) });
	return found.open.length === 0 ? err({ kind: 'codesUsedUp' }) : ok(found);
}

/** The open counter whose check value the digits have; undefined where none has. */
async function counterOf(
	digits: string,
	{ row, open }: OpenSheet,
	{ ledger, moment, parts }: Standing
): Promise<number | undefined> {
	const { kind, currency, exponent, cap, epoch } = row;
	const info = codeInfo({
		way: 'sheet',
		kind: kind === 'debit' ? 'due' : 'payment',
		currency,
		exponent,
		minor: cap
	});
	const scope = { businessId: moment.identity.business, ledgerId: ledger, epoch };
	for (const [counter, check] of open) {
		const own = await sheetCheck(scope, { info, counter, digits }, parts.crypto);
		if (own === check) return counter;
	}
	return undefined;
}

/** Nothing is claimed; the try is written before anybody is told. */
function missed({ ledger, hs, context }: Standing, today: string): Outcome {
	const after = oneMoreTry(context.tries, hs, { ledger, today });
	const left = leftOfTries(after, hs, today);
	const refusal = {
		kind: 'doesNotFit',
		leftOfRecord: left.ofRecord,
		leftOfDay: left.ofDay
	} as const;
	return Promise.resolve(
		ok({ facts: [], value: err(refusal), tries: { ledger, before: context.tries, after } })
	);
}

type Proof = Required<Pick<Claim, 'way' | 'code' | 'counter'>> & { readonly way: 'sms' | 'sheet' };

/** Of several records a statement is filed in the same act, and the claim names that. */
async function filed(
	proof: Proof,
	{ ledger, asked, card, moment, parts, context }: Standing,
	more: Pick<Claimed, 'left'>
): Outcome {
	const [record, ...others] = asked.records;
	const facts: Fact[] = [];
	let h = record?.h;
	if (others.length > 0) {
		const statement = await statementFact(asked, card, { moment, parts });
		if (!statement.ok) return statement;
		facts.push(statement.value.fact);
		h = statement.value.h;
	}
	if (h === undefined) return err({ kind: 'nothingWaits' });
	const fact = await claimFact(proof, h, { moment, parts, head: moment.head(facts.length) });
	const hs = asked.records.map((row) => row.h);
	const value: Claimed = { h, hs, way: proof.way, ...more, fact };
	// Whoever typed in another tab meanwhile may have used up the tries.
	const tries = { ledger, before: context.tries, after: context.tries };
	return ok({ facts: [...facts, fact], value: ok(value), tries });
}

async function claimFact(
	{ way, code, counter }: Proof,
	h: RecordHash,
	{ moment, parts, head }: { moment: Moment; parts: DeviceParts; head: FactHead }
): Promise<ClaimFact> {
	const claim: Claim = {
		id: parts.uuid.v7(),
		h,
		way,
		counter,
		code,
		d: moment.identity.code,
		u: moment.identity.person,
		at: moment.nowMs
	};
	const sig = await parts.signer.sign(claimMessage(encodeClaim(claim)));
	return { ...head, kind: 'claim', claim, sig: encodeBase64url(sig) };
}

/** Lists what waits in one record that the customer may confirm in the app or by a message. */
export function fileStatementAct(
	ledger: LedgerId,
	hs: readonly RecordHash[],
	parts: DeviceParts
): Act<ClaimContext, Extract<Fact, { kind: 'record' }>, StatementRefusal> {
	return {
		tables: CLAIM_TABLES,
		load: (rows) => loadClaim(rows, ledger),
		decide: async ({ card }, moment) => {
			const asked = askedOf(hs, card, moment);
			if (!asked.ok) return asked;
			if (card === undefined || asked.value.side === 'credit') return err({ kind: 'mixed' });
			const statement = await statementFact(asked.value, card, { moment, parts });
			if (!statement.ok) return statement;
			return ok({ facts: [statement.value.fact], value: statement.value.fact });
		}
	};
}
