/**
 * SYNC-10. Reasons of a nack that say nothing against the fact itself: it stays unsent and is told again.
 * A close follows (`fork`, `forgery`, `malformed`, `gap`, `updateTooLarge`, `removed`), or there is no
 * room for it today (`tooMany`).
 */
export const PASSING_REASONS: ReadonlySet<string> = new Set([
	'fork',
	'forgery',
	'malformed',
	'gap',
	'updateTooLarge',
	'removed',
	'tooMany'
]);
