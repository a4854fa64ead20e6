import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import type { RecordRest } from '#domain/confirmation/rest.ts';
import { recordsOf } from './effects.ts';
import type { Fact } from './fact.ts';

/** What few records say, and no table of the relay keeps: it is read from their facts. */
export interface RecordMore {
	/** Who took the goods. */
	readonly takenBy?: string;
	/** Which debits a credit settles. */
	readonly allocations?: NonNullable<RecordRest['for']>;
	/** Written after the day it happened on. */
	readonly isLate?: true;
}

/** A record as it is known without its fact. */
export interface RecordToFind {
	readonly record: string;
	readonly kind: RecordKind;
	readonly amount: number;
	/** Milliseconds UTC. */
	readonly at: number;
}

export function recordMore({ by, for: allocations }: RecordRest, fact: Fact): RecordMore {
	return {
		...(by !== undefined && { takenBy: by }),
		...(allocations !== undefined && { allocations }),
		...(fact.kind === 'record' && fact.isLate === true && { isLate: true })
	};
}

/** The same of the record of `fact` that is meant; nothing where none is, or where it may be either of two. */
export function moreIn(fact: Fact, { record, kind, amount, at }: RecordToFind): RecordMore {
	const [found, ...others] = recordsOf(fact).filter(
		({ core }) =>
			core.recordId === record &&
			core.kind === kind &&
			core.amount === amount &&
			core.occurredAt === at
	);
	return found === undefined || others.length > 0 ? {} : recordMore(found.rest, fact);
}
