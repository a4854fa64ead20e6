import { and, desc, eq, max } from 'drizzle-orm';
import { assert } from '#domain/assert.ts';
import { ledgerKey, secretId } from '#domain/confirmation/codes.ts';
import type { PersonId } from '#domain/ids.ts';
import { codeEpoch, ledgerSecret, personSecret } from '#server/database/ledgers.ts';
import { phone } from '#server/database/persons.ts';
import type { Executor } from '#server/database/transaction.ts';
import { ofLedger } from './guard.ts';
import type { LedgerName, LedgerParts } from './ledger-parts.ts';

const SECRET_BYTES = 32;

type SecretParts = Pick<LedgerParts, 'clock' | 'random' | 'vault'>;

/** K_C of a person, and which of them it is. */
export interface PersonSecret {
	readonly version: number;
	readonly key: Uint8Array;
}

/** So many are given to a phone: sets of older ones have been replaced, or are on paper alone. */
const VERSIONS_GIVEN = 8;

/**
 * CODES-10. What the codes of a person's ledgers come from, the latest first, and made at the first need. CODES-14.
 * The latest is younger than the last removal of a phone, so that no phone that is gone has it. The person's feed is
 * locked, as by whoever removes one.
 */
export async function personSecrets(
	executor: Executor,
	parts: SecretParts,
	of: PersonId
): Promise<readonly [latest: PersonSecret, ...PersonSecret[]]> {
	const removedAt = await lastRemoval(executor, of);
	const known = await readSecrets(executor, of);
	if ((known[0]?.createdAt ?? -1) <= removedAt) {
		const version = (known[0]?.version ?? 0) + 1;
		const sealed = parts.vault.seal(parts.random.bytes(SECRET_BYTES));
		// A clock that was set back would else make one each time.
		const createdAt = Math.max(parts.clock(), removedAt + 1);
		const row = { person: of, version, sealed, createdAt };
		await executor.insert(personSecret).values(row).onConflictDoNothing();
	}
	const [latest, ...older] = await readSecrets(executor, of);
	assert(latest !== undefined, 'a secret that was made is there');
	const open = ({ version, sealed }: typeof latest): PersonSecret => ({
		version,
		key: parts.vault.open(sealed)
	});
	return [open(latest), ...older.map(open)];
}

/** Every secret that is known of who stands behind a ledger, the latest first; none is made. */
export async function knownSecrets(
	executor: Executor,
	{ vault }: Pick<SecretParts, 'vault'>,
	{ name, person }: { readonly name: LedgerName; readonly person: PersonId | null }
): Promise<readonly PersonSecret[]> {
	if (person !== null) {
		const known = await readSecrets(executor, person);
		return known.map(({ version, sealed }) => ({ version, key: vault.open(sealed) }));
	}
	const rows = await executor.select().from(ledgerSecret).where(ofLedger(ledgerSecret, name));
	return rows.map(({ sealed }) => ({ version: 1, key: vault.open(sealed) }));
}

/** When a phone of the person was last removed; before all time where none was. */
async function lastRemoval(executor: Executor, of: PersonId): Promise<number> {
	const [row] = await executor
		.select({ at: max(phone.removedAt) })
		.from(phone)
		.where(eq(phone.person, of));
	return row?.at ?? -1;
}

function readSecrets(
	executor: Executor,
	of: PersonId
): Promise<(typeof personSecret.$inferSelect)[]> {
	return executor
		.select()
		.from(personSecret)
		.where(eq(personSecret.person, of))
		.orderBy(desc(personSecret.version))
		.limit(VERSIONS_GIVEN);
}

/** Whether no phone was removed that could make codes of this epoch of a person's ledger. */
export async function isOfLatest(
	executor: Executor,
	parts: SecretParts,
	{ person, ...name }: LedgerName & { readonly epoch: number; readonly person: PersonId }
): Promise<boolean> {
	const [latest] = await personSecrets(executor, parts, person);
	const row = await readEpoch(executor, name);
	return row?.person === person && row.secret === latest.version;
}

/** Which secret the person's phones make the codes of an epoch from, as `secretId` names it. */
export async function secretOfEpoch(
	executor: Executor,
	{ vault, crypto }: Pick<LedgerParts, 'vault' | 'crypto'>,
	name: LedgerName & { readonly epoch: number }
): Promise<string | undefined> {
	const row = await readEpoch(executor, name);
	if (row === undefined || row.person === null) return undefined;
	const key = await openSecret(executor, vault, row);
	return key === undefined ? undefined : secretId(key, crypto);
}

/** K_L of one epoch of a ledger; undefined where it never had that epoch, or its secret was forgotten. */
export async function keyOfEpoch(
	executor: Executor,
	parts: SecretParts & Pick<LedgerParts, 'crypto'>,
	{ business, ledger, epoch }: LedgerName & { readonly epoch: number }
): Promise<Uint8Array | undefined> {
	const name = { business, ledger };
	const row = await readEpoch(executor, { ...name, epoch });
	if (row === undefined) return undefined;
	const secret =
		row.person === null
			? await ownKey(executor, parts, name)
			: await openSecret(executor, parts.vault, row);
	if (secret === undefined) return undefined;
	const scope = { businessId: business, ledgerId: ledger, epoch };
	return ledgerKey(secret, scope, parts.crypto);
}

async function readEpoch(
	executor: Executor,
	{ business, ledger, epoch }: LedgerName & { readonly epoch: number }
): Promise<typeof codeEpoch.$inferSelect | undefined> {
	const [row] = await executor
		.select()
		.from(codeEpoch)
		.where(and(ofLedger(codeEpoch, { business, ledger }), eq(codeEpoch.epoch, epoch)));
	return row;
}

/** Undefined where a restore with another secret forgot it. */
async function openSecret(
	executor: Executor,
	vault: SecretParts['vault'],
	{ person, secret }: Pick<typeof codeEpoch.$inferSelect, 'person' | 'secret'>
): Promise<Uint8Array | undefined> {
	assert(person !== null, 'a ledger without a person has a secret of its own');
	const [row] = await executor
		.select({ sealed: personSecret.sealed })
		.from(personSecret)
		.where(and(eq(personSecret.person, person), eq(personSecret.version, secret)));
	return row === undefined ? undefined : vault.open(row.sealed);
}

/** What stands for K_C where a ledger is linked by phone and nobody has an account. */
async function ownKey(
	executor: Executor,
	{ clock, random, vault }: SecretParts,
	name: LedgerName
): Promise<Uint8Array> {
	await executor
		.insert(ledgerSecret)
		.values({ ...name, sealed: vault.seal(random.bytes(SECRET_BYTES)), createdAt: clock() })
		.onConflictDoNothing();
	const [row] = await executor.select().from(ledgerSecret).where(ofLedger(ledgerSecret, name));
	assert(row !== undefined, 'a secret that was made is there');
	return vault.open(row.sealed);
}
