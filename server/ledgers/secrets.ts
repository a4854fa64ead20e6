import { and, eq } from 'drizzle-orm';
import { assert } from '#domain/assert.ts';
import { ledgerKey } from '#domain/confirmation/codes.ts';
import type { PersonId } from '#domain/ids.ts';
import { codeEpoch, ledgerSecret, personSecret } from '#server/database/ledgers.ts';
import type { Executor } from '#server/database/transaction.ts';
import { ofLedger, personIn } from './guard.ts';
import type { LedgerName, LedgerParts } from './ledger-parts.ts';

const SECRET_BYTES = 32;

type SecretParts = Pick<LedgerParts, 'clock' | 'random' | 'vault'>;

/** K_C of a person, made at the first need: what the codes of all his ledgers come from. */
export async function personKey(
	executor: Executor,
	{ clock, random, vault }: SecretParts,
	person: PersonId
): Promise<Uint8Array> {
	await executor
		.insert(personSecret)
		.values({ person, sealed: vault.seal(random.bytes(SECRET_BYTES)), createdAt: clock() })
		.onConflictDoNothing();
	const [row] = await executor.select().from(personSecret).where(eq(personSecret.person, person));
	assert(row !== undefined, 'a secret that was made is there');
	return vault.open(row.sealed);
}

/** K_L of one epoch of a ledger; undefined where it never had that epoch. */
export async function keyOfEpoch(
	executor: Executor,
	parts: SecretParts & Pick<LedgerParts, 'crypto'>,
	{ business, ledger, epoch }: LedgerName & { readonly epoch: number }
): Promise<Uint8Array | undefined> {
	const name = { business, ledger };
	const [row] = await executor
		.select({ person: codeEpoch.person })
		.from(codeEpoch)
		.where(and(ofLedger(codeEpoch, name), eq(codeEpoch.epoch, epoch)));
	if (row === undefined) return undefined;
	const secret =
		row.person === null
			? await ownKey(executor, parts, name)
			: await personKey(executor, parts, personIn(row.person));
	const scope = { businessId: business, ledgerId: ledger, epoch };
	return ledgerKey(secret, scope, parts.crypto);
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
