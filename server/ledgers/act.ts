import { assert } from '#domain/assert.ts';
import { ok, type Result } from '#domain/result.ts';
import type { RelayFactDraft, ScopeId } from '#server/auth/relay-fact-draft.ts';
import { codeOf } from '#server/database/data-folder.ts';
import { commitUnlessRefused, type Transaction } from '#server/database/transaction.ts';
import type { LedgerParts } from './ledger-parts.ts';

/** One transaction on ledgers, and the feeds that it moves. */
export interface Act {
	readonly tx: Transaction;
	/** Locks the feeds that will be written, all at once; the rows of ledgers come before. */
	lock(...scopes: readonly ScopeId[]): Promise<void>;
	write(scope: ScopeId, ...drafts: readonly RelayFactDraft[]): Promise<void>;
}

/** How often an act is tried that the database stopped for another's sake. */
const TRIES_MAX = 5;

/**
 * Decides and keeps in one transaction, then tells whose feed moved and sends what was queued. A
 * refusal leaves no trace.
 */
export async function commitAct<T, E>(
	parts: LedgerParts,
	decide: (act: Act) => Promise<Result<T, E>>
): Promise<Result<T, E>> {
	for (let tries = 1; ; tries += 1) {
		const moved = new Set<ScopeId>();
		try {
			const decided = await commitUnlessRefused(parts.executor, (tx) =>
				decide(actOf(parts, tx, moved))
			);
			if (decided.ok) await tell(parts, moved);
			return decided;
		} catch (fault) {
			if (tries >= TRIES_MAX || !isStoppedForAnother(fault)) throw fault;
		}
	}
}

/** The same where whatever is decided is kept: a wrong try counts although it is refused. */
export async function commitWhatever<T>(
	parts: LedgerParts,
	decide: (act: Act) => Promise<T>
): Promise<T> {
	const kept = await commitAct<T, never>(parts, async (act) => ok(await decide(act)));
	assert(kept.ok, 'nothing refuses here');
	return kept.value;
}

function actOf(parts: LedgerParts, tx: Transaction, moved: Set<ScopeId>): Act {
	return {
		tx,
		lock: (...scopes) => parts.lockScopes(tx, Array.from(new Set(scopes))),
		async write(scope, ...drafts) {
			moved.add(scope);
			await parts.appendRelayFacts(tx, scope, drafts);
		}
	};
}

async function tell({ feedMoved, messages }: LedgerParts, moved: Set<ScopeId>): Promise<void> {
	messages.wake();
	await Promise.all(Array.from(moved, (scope) => feedMoved(scope)));
}

/** Deadlock detected, serialization failure. */
const STOPPED: ReadonlySet<string> = new Set(['40P01', '40001']);

function isStoppedForAnother(fault: unknown): boolean {
	if (STOPPED.has(codeOf(fault))) return true;
	return fault instanceof Error && fault.cause !== undefined && isStoppedForAnother(fault.cause);
}
