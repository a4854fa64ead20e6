import {
	parseBranchId,
	parseBusinessId,
	parsePersonId,
	type BranchId,
	type BusinessId,
	type PersonId
} from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';

/** What a document's name says of it, in the words of the architecture's table of documents. */
export type DocumentAddress = BranchDay | PersonYear;

/** The journal (`j`) or the office's journal (`o`) of one branch on one UTC day. */
export interface BranchDay {
	readonly kind: 'journal' | 'office';
	readonly business: BusinessId;
	readonly branch: BranchId;
	/** `yyyymmdd`, UTC. */
	readonly day: string;
}

/** The customer's side as the relay writes it (`s`), and what his own phones write (`c`), of one UTC year. */
export interface PersonYear {
	readonly kind: 'shopSide' | 'customerSide';
	readonly person: PersonId;
	/** `yyyy`, UTC. */
	readonly year: string;
}

export type DocumentNameRefusal = 'notADocumentName';

const LETTERS = { journal: 'j', office: 'o', shopSide: 's', customerSide: 'c' } as const;
const DAY = /^[0-9]{8}$/;
const YEAR = /^[0-9]{4}$/;
const DAY_MS = 86_400_000;

/** DOC-1. One name a document and one document a name: what `formatDocumentName` writes, nothing else. */
export function parseDocumentName(name: string): Result<DocumentAddress, DocumentNameRefusal> {
	const [letter, ...parts] = name.split('/');
	switch (letter) {
		case 'j':
			return branchDay('journal', parts);
		case 'o':
			return branchDay('office', parts);
		case 's':
			return personYear('shopSide', parts);
		case 'c':
			return personYear('customerSide', parts);
		default:
			return err('notADocumentName');
	}
}

export function formatDocumentName(address: DocumentAddress): string {
	const letter = LETTERS[address.kind];
	return 'business' in address
		? `${letter}/${address.business}/${address.branch}/${address.day}`
		: `${letter}/${address.person}/${address.year}`;
}

/** Whose document it is: a business, or a person. */
export function scopeOf(address: DocumentAddress): BusinessId | PersonId {
	return 'business' in address ? address.business : address.person;
}

/** DOC-2. The journal of a fact of this branch that is written at `atMs` by its device's corrected clock. */
export function journalName(business: BusinessId, branch: BranchId, atMs: number): string {
	return formatDocumentName({ kind: 'journal', business, branch, day: utcDay(atMs) });
}

/** `yyyymmdd` of an instant (ms UTC, years 0 to 9999). */
export function utcDay(atMs: number): string {
	const day = Math.floor(atMs / DAY_MS);
	if (day !== lastDay.day) {
		lastDay = { day, text: new Date(atMs).toISOString().slice(0, 10).replaceAll('-', '') };
	}
	return lastDay.text;
}

/** Whoever asks for many asks for one day: writing it out is dear. */
let lastDay = { day: NaN, text: '' };

function branchDay(
	kind: BranchDay['kind'],
	[businessText, branchText, day, ...more]: readonly string[]
): Result<BranchDay, DocumentNameRefusal> {
	const business = parseBusinessId(businessText);
	const branch = parseBranchId(branchText);
	if (!business.ok || !branch.ok || day === undefined) return err('notADocumentName');
	if (more.length > 0 || !isDay(day)) return err('notADocumentName');
	return ok({ kind, business: business.value, branch: branch.value, day });
}

function personYear(
	kind: PersonYear['kind'],
	[personText, year, ...more]: readonly string[]
): Result<PersonYear, DocumentNameRefusal> {
	const person = parsePersonId(personText);
	if (!person.ok || year === undefined) return err('notADocumentName');
	if (more.length > 0 || !YEAR.test(year)) return err('notADocumentName');
	return ok({ kind, person: person.value, year });
}

/** Eight digits that are a day of the calendar: `20260230` is none. */
function isDay(day: string): boolean {
	if (!DAY.test(day)) return false;
	const startMs = Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`);
	return !Number.isNaN(startMs) && utcDay(startMs) === day && startMs % DAY_MS === 0;
}
