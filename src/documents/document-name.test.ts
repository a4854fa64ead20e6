import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ok } from '#domain/result.ts';
import type { BranchId, BusinessId } from '#domain/ids.ts';
import { formatDocumentName, journalName, parseDocumentName } from './document-name.ts';

const BUSINESS = '3f0f8c1e-8a39-4c2e-9d5b-1f2a3b4c5d6e' as BusinessId;
const BRANCH = '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d' as BranchId;

describe('document names', () => {
	it.each([
		`j/${BUSINESS}/${BRANCH}/20261120`,
		`o/${BUSINESS}/${BRANCH}/20240229`,
		`s/${BUSINESS}/2026`,
		`c/${BRANCH}/2026`
	])('[DOC-1] reads and writes %s', (name) => {
		const address = parseDocumentName(name);
		if (!address.ok) throw new Error('refused a good name');
		expect(formatDocumentName(address.value)).toBe(name);
	});

	it.each([
		'',
		'j',
		`x/${BUSINESS}/${BRANCH}/20261120`,
		`j/${BUSINESS}/${BRANCH}`,
		`j/${BUSINESS}/${BRANCH}/20261120/`,
		`j/${BUSINESS}/${BRANCH}/20261120/more`,
		`j/${BUSINESS.toUpperCase()}/${BRANCH}/20261120`,
		`j/${BUSINESS}/${BRANCH}/20260230`,
		`j/${BUSINESS}/${BRANCH}/20261301`,
		`j/${BUSINESS}/${BRANCH}/2026-11-20`,
		`j//${BRANCH}/20261120`,
		`s/${BUSINESS}/26`,
		`s/${BUSINESS}/2026/1`,
		`c/nobody/2026`,
		`/j/${BUSINESS}/${BRANCH}/20261120`
	])('[DOC-1] refuses %j', (name) => {
		expect(parseDocumentName(name)).toEqual({ ok: false, error: 'notADocumentName' });
	});

	it('[DOC-1] never throws, and takes nothing that it would not write itself', () => {
		fc.assert(
			fc.property(fc.string(), (name) => {
				const address = parseDocumentName(name);
				return !address.ok || formatDocumentName(address.value) === name;
			})
		);
	});

	it('[DOC-2] takes the day from the moment of the act, by UTC', () => {
		const before = Date.parse('2010-12-09T23:59:59.999Z');
		expect(journalName(BUSINESS, BRANCH, before)).toBe(`j/${BUSINESS}/${BRANCH}/20101209`);
		expect(journalName(BUSINESS, BRANCH, before + 1)).toBe(`j/${BUSINESS}/${BRANCH}/20101210`);
		expect(parseDocumentName(journalName(BUSINESS, BRANCH, before))).toEqual(
			ok({ kind: 'journal', business: BUSINESS, branch: BRANCH, day: '20101209' })
		);
	});
});
