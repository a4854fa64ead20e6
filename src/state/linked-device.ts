import { formatDocumentName, journalName, utcDay } from '#documents/document-name.ts';
import type { PersonId } from '#domain/ids.ts';
import type { FactText } from './arrived-fact.ts';
import type { Device } from './device.ts';

/** What a link needs of a customer's phone. */
export interface LinkedPhone {
	readonly identity: {
		readonly person: PersonId;
		/** `p1`; empty until the relay gave it. */
		readonly code: string;
		/** Whether the relay knows this phone. */
		readonly claimed: boolean;
	};
	receive(facts: readonly FactText[]): Promise<unknown>;
}

/** Who may have a line to the relay: a shop's device, or a customer's phone. */
export type LinkedDevice = Device | LinkedPhone;

/**
 * The documents that are open whatever waits. Into the first goes what is written at `nowMs` by the
 * corrected clock: today's journal of a branch, this year's answers of a person.
 */
export function openDocuments(
	{ identity }: Pick<LinkedDevice, 'identity'>,
	nowMs: number
): readonly [own: string, ...others: string[]] {
	if ('branch' in identity) return [journalName(identity.business, identity.branch, nowMs)];
	const { person } = identity;
	const year = utcDay(nowMs).slice(0, 4);
	return [
		formatDocumentName({ kind: 'customerSide', person, year }),
		formatDocumentName({ kind: 'shopSide', person, year })
	];
}
