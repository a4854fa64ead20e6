import { createHmac } from 'node:crypto';
import { and, count, eq, isNull, lt } from 'drizzle-orm';
import { generateSecret, generateURI, verifySync } from 'otplib';
import {
	RECOVERY_CODE_LENGTH,
	RECOVERY_CODE_LETTERS,
	type OneTimeCode,
	type TypedFactor
} from '#domain/account/one-time-code.ts';
import { assert } from '#domain/assert.ts';
import { utf8 } from '#domain/bytes.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { recoveryCode, secondFactor, spentStep } from '#server/database/messages.ts';
import type { Executor, Transaction } from '#server/database/transaction.ts';
import type { Random } from './random.ts';
import type { Vault } from './vault.ts';

export interface FactorSecret {
	/** Base 32, to be typed where a camera does not help. */
	readonly secret: string;
	/** `otpauth://totp/…`, for a QR code. */
	readonly uri: string;
}

export interface FactorState {
	readonly isOn: boolean;
	readonly recoveryCodesLeft: number;
}

/** TOTP (RFC 6238) beside the password, with recovery codes. */
export interface SecondFactor {
	state(executor: Executor, account: string): Promise<FactorState>;
	/** A new secret, which counts once a code of it came back. Refused while one counts. */
	begin(
		tx: Transaction,
		owner: { readonly account: string; readonly username: string }
	): Promise<Result<FactorSecret, 'factorKnown'>>;
	/** The first code of a new secret: answers ten recovery codes, which nobody is told again. */
	confirm(
		tx: Transaction,
		account: string,
		code: OneTimeCode
	): Promise<Result<readonly string[], 'factorWrong' | 'factorKnown'>>;
	/** Uses a code up. Each code is right once, also of two that come at the same instant. */
	use(tx: Transaction, account: string, factor: TypedFactor): Promise<Result<void, 'factorWrong'>>;
	/** Ten recovery codes in the place of those before. */
	renewRecoveryCodes(tx: Transaction, account: string): Promise<readonly string[]>;
	end(tx: Transaction, account: string): Promise<void>;
}

export interface SecondFactorParts {
	/** UTC ms. */
	readonly clock: () => number;
	readonly random: Pick<Random, 'bytes'>;
	/** 32 bytes, by which recovery codes are hashed. */
	readonly key: Uint8Array;
	/** Where the secrets of authenticators are sealed. */
	readonly vault: Vault;
}

export const RECOVERY_CODES = 10;
const STEP_S = 30;
/** A phone's clock may be one step off. */
const TOLERANCE_S = 30;
/** No code of an older step is taken any more, so that it need not be remembered. */
const STEPS_REMEMBERED = 4;
const RECOVERY_GROUP = 5;

export function createSecondFactor(parts: SecondFactorParts): SecondFactor {
	return {
		state,
		begin: (tx, owner) => begin(tx, parts, owner),
		confirm: (tx, account, code) => confirm(tx, parts, { account, code }),
		use: (tx, account, factor) =>
			factor.kind === 'totp'
				? useStep(tx, parts, { account, code: factor.code, isFirst: false })
				: useRecoveryCode(tx, parts, { account, code: factor.code }),
		renewRecoveryCodes: (tx, account) => renewRecoveryCodes(tx, parts, account),
		async end(tx, account) {
			await tx.delete(recoveryCode).where(eq(recoveryCode.account, account));
			await tx.delete(secondFactor).where(eq(secondFactor.account, account));
		}
	};
}

async function state(executor: Executor, account: string): Promise<FactorState> {
	const [row] = await executor.select().from(secondFactor).where(eq(secondFactor.account, account));
	const unused = and(eq(recoveryCode.account, account), isNull(recoveryCode.usedAt));
	const [left] = await executor.select({ n: count() }).from(recoveryCode).where(unused);
	return { isOn: row !== undefined && row.confirmedAt !== null, recoveryCodesLeft: left?.n ?? 0 };
}

async function begin(
	tx: Transaction,
	parts: SecondFactorParts,
	{ account, username }: { readonly account: string; readonly username: string }
): Promise<Result<FactorSecret, 'factorKnown'>> {
	const secret = generateSecret();
	const wrappedSecret = wrap(parts, account, secret);
	const createdAt = parts.clock();
	const [kept] = await tx
		.insert(secondFactor)
		.values({ account, wrappedSecret, createdAt })
		.onConflictDoUpdate({
			target: secondFactor.account,
			set: { wrappedSecret, createdAt },
			setWhere: isNull(secondFactor.confirmedAt)
		})
		.returning();
	if (kept === undefined) return err('factorKnown');
	return ok({ secret, uri: generateURI({ issuer: 'Daftar', label: username, secret }) });
}

interface Tried {
	readonly account: string;
	readonly code: OneTimeCode;
}

async function confirm(
	tx: Transaction,
	parts: SecondFactorParts,
	tried: Tried
): Promise<Result<readonly string[], 'factorWrong' | 'factorKnown'>> {
	const used = await useStep(tx, parts, { ...tried, isFirst: true });
	if (!used.ok) return used;
	const [made] = await tx
		.update(secondFactor)
		.set({ confirmedAt: parts.clock() })
		.where(and(eq(secondFactor.account, tried.account), isNull(secondFactor.confirmedAt)))
		.returning();
	if (made === undefined) return err('factorKnown');
	return ok(await renewRecoveryCodes(tx, parts, tried.account));
}

/** Takes the step that a code is of, by a row that only one can write. */
async function useStep(
	tx: Transaction,
	parts: SecondFactorParts,
	{ account, code, isFirst }: Tried & { readonly isFirst: boolean }
): Promise<Result<void, 'factorWrong'>> {
	// Locked: a new secret that is made meanwhile is not the one that this code is of.
	const [row] = await tx
		.select()
		.from(secondFactor)
		.where(eq(secondFactor.account, account))
		.for('update');
	if (row === undefined || (row.confirmedAt === null) !== isFirst) return err('factorWrong');
	const epoch = Math.floor(parts.clock() / 1_000);
	const secret = unwrap(parts, account, row.wrappedSecret);
	const found = verifySync({ secret, token: code, epoch, epochTolerance: TOLERANCE_S });
	if (!found.valid) return err('factorWrong');

	const now = Math.floor(epoch / STEP_S);
	const step = now + found.delta;
	const isOld = and(eq(spentStep.account, account), lt(spentStep.step, now - STEPS_REMEMBERED));
	await tx.delete(spentStep).where(isOld);
	const [spent] = await tx
		.insert(spentStep)
		.values({ account, step })
		.onConflictDoNothing()
		.returning();
	return spent === undefined ? err('factorWrong') : ok(undefined);
}

async function useRecoveryCode(
	tx: Transaction,
	parts: SecondFactorParts,
	{ account, code }: { readonly account: string; readonly code: string }
): Promise<Result<void, 'factorWrong'>> {
	const [used] = await tx
		.update(recoveryCode)
		.set({ usedAt: parts.clock() })
		.where(
			and(
				eq(recoveryCode.account, account),
				eq(recoveryCode.codeHash, recoveryHash(parts, account, code)),
				isNull(recoveryCode.usedAt)
			)
		)
		.returning();
	return used === undefined ? err('factorWrong') : ok(undefined);
}

async function renewRecoveryCodes(
	tx: Transaction,
	parts: SecondFactorParts,
	account: string
): Promise<readonly string[]> {
	const codes = Array.from({ length: RECOVERY_CODES }, () => mintRecoveryCode(parts));
	await tx.delete(recoveryCode).where(eq(recoveryCode.account, account));
	await tx
		.insert(recoveryCode)
		.values(codes.map((code) => ({ account, codeHash: recoveryHash(parts, account, code) })));
	return codes.map((code) => `${code.slice(0, RECOVERY_GROUP)}-${code.slice(RECOVERY_GROUP)}`);
}

function mintRecoveryCode({ random }: SecondFactorParts): string {
	const bytes = Array.from(random.bytes(RECOVERY_CODE_LENGTH));
	// 256 is a multiple of the 32 letters, so that each is as likely as the others.
	return bytes.map((byte) => RECOVERY_CODE_LETTERS[byte % RECOVERY_CODE_LETTERS.length]).join('');
}

/** Keyed, so that who reads the table alone cannot try all codes. */
function recoveryHash({ key }: SecondFactorParts, account: string, code: string): Uint8Array {
	return new Uint8Array(createHmac('sha256', key).update(`${account} ${code}`).digest());
}

/** With its account, so that one that was copied to another account's row does not open there. */
function wrap({ vault }: SecondFactorParts, account: string, secret: string): Uint8Array {
	return vault.seal(utf8(`${account} ${secret}`));
}

function unwrap({ vault }: SecondFactorParts, account: string, wrapped: Uint8Array): string {
	const [owner, secret = ''] = Buffer.from(vault.open(wrapped)).toString('utf8').split(' ');
	assert(owner === account, 'a secret is in the row of its own account');
	return secret;
}
