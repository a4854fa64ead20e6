import type { Hono } from 'hono';
import type { CryptoParts, Signer } from '#domain/crypto.ts';
import { connectedRoutes } from './api/connected.ts';
import type { LedgerRouteParts } from './api/ledger-route-parts.ts';
import { createJudge, type Judge, type JudgeParts } from './judge/judge-worker.ts';
import { queueClaims, wakeClaims } from './judge/queue-claims.ts';
import { sayAgain, type ToldConnection } from './ledgers/said-again.ts';
import type { Project, ToldOf } from './projections/effected.ts';
import { createProject } from './projections/project.ts';
import { deriveKey } from './secret.ts';
import { createVault } from './vault.ts';

/** What shops and their customers do together is made of this, and of keys made here. */
export interface ConnectedParts extends Omit<
	LedgerRouteParts & Pick<JudgeParts, 'every' | 'fault' | 'folds'>,
	'smsKey' | 'vault'
> {
	readonly secret: Uint8Array;
	readonly relayKey: Signer;
}

export interface Connected {
	/** Connections, codes and messages; to be mounted at `/api`. */
	readonly routes: Hono;
	/** Works until it is closed. */
	readonly judge: Judge;
	/** CONNECT-19. */
	readonly sayAgain: (told: ToldConnection) => Promise<void>;
}

/** Puts connections, codes and the judge together. */
export function createConnected(given: ConnectedParts): Connected {
	const parts = {
		...given,
		vault: createVault(given.secret, 'customer-codes/v1'),
		smsKey: deriveKey(given.secret, 'record-sms/v1')
	};
	return {
		routes: connectedRoutes(parts),
		judge: createJudge(parts),
		sayAgain: (told) => sayAgain(parts, told)
	};
}

/** The projections, and with them the queue of claims: stored in the same transaction as their facts. */
export function projectWithClaims({ crypto, folded, clock }: ClaimParts): Project {
	const project = createProject(crypto, {
		folded,
		recorded: (sql, records) => wakeClaims(sql, records, clock())
	});
	return async (sql, facts) => {
		await project(sql, facts);
		await queueClaims(sql, facts, clock());
	};
}

interface ClaimParts extends Pick<ToldOf, 'folded'> {
	readonly crypto: CryptoParts;
	readonly clock: () => number;
}
