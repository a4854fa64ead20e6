import { expect, it } from 'vitest';
import { createDifferences, type Difference } from './differences.ts';

const MANY = 200_000;

it('[KEEP-8] of a business that lost its documents all is counted, a few are named, and others too', () => {
	const differences = createDifferences();
	const of = (scope: string): Difference => ({ check: 'documents', scope, what: 'A-1 is no fact' });
	differences.note(Array.from({ length: MANY }, () => of('lost')));
	differences.note([of('other'), { ...of('other'), check: 'feed' }]);
	expect(differences.wrong).toMatchObject({ documents: MANY + 1, feed: 1, digests: 0 });
	const scopes = differences.named.map(({ scope }) => scope);
	expect([scopes.length, scopes.filter((scope) => scope === 'other').length]).toEqual([102, 2]);
});
