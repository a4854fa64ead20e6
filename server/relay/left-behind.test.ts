import { describe, expect, it } from 'vitest';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';
import { createLeftBehind } from './left-behind.ts';

const scopes = [1, 2, 3].map((n) => TRADE_BUSINESS.replace(/.$/, String(n)) as ScopeId);
const [first, second, third] = scopes as [ScopeId, ScopeId, ScopeId];

describe('feeds whose sockets are all gone', () => {
	it('[RELAY-63] are known as far as they were ever noted', () => {
		const left = createLeftBehind();
		left.note(first, 7);
		left.note(first, 3);
		left.note(second, 0);
		expect(left.all()).toEqual([[first, 7]]);
		expect(left.cameTo(first)).toBe(7);
		left.forget(first);
		expect(left.cameTo(first)).toBe(0);
	});

	it('[RELAY-63] are so many, of which those noted longest ago go first', () => {
		const left = createLeftBehind(2);
		left.note(first, 1);
		left.note(second, 2);
		left.note(first, 3);
		left.note(third, 4);
		expect(left.all()).toEqual([
			[first, 3],
			[third, 4]
		]);
	});
});
