import type { Fact } from '#domain/fact/fact.ts';
import type { Result } from '#domain/result.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import type { CheckRefusal } from './check-fact.ts';
import type { Room } from './room.ts';
import type { ParsedUpdate, UpdateItem } from './update-parser.ts';

/** An update on its way into the database, read and checked as far as can be done without it. */
export interface Submission {
	readonly room: Room;
	/** Under whose name the update writes. */
	readonly caller: Device;
	/** Where another brings it for him: whose access counts instead. */
	readonly bearer?: Bearer;
	/** The id of the session that its socket was opened by. */
	readonly session?: string | undefined;
	readonly update: ParsedUpdate;
	/** What became of the text of each item that the room lacked when it came. */
	readonly checks: ReadonlyMap<UpdateItem, Result<Fact, CheckRefusal>>;
	/** Told apart from others, so that what somebody sent is not sent back to him. */
	readonly sender: object;
}

/** A shop's device or a customer's phone, by what its facts are named. */
export interface Device {
	readonly scope: ScopeId;
	readonly code: string;
}

/** A device that brings facts of another, by no socket of that one's. */
export interface Bearer {
	readonly code: string;
	/** Whether its code is written down with them: a restored database is told again what it forgot. */
	readonly isCarrying: boolean;
}

/** A fact that the database did not have. */
export interface NewFact {
	readonly room: Room;
	readonly device: Device;
	/** The code of the device that carried it for its author. */
	readonly carriedBy: string | null;
	readonly fact: Fact;
	readonly text: string;
	readonly digest: bigint;
}

export interface ForkedFact {
	readonly room: Room;
	readonly id: string;
	readonly code: string;
	readonly n: number;
	readonly text: string;
	readonly digest: bigint;
}

/**
 * `again`: the database has the act already, under the name that another gave it. `tooMany`: there is
 * no room for it today. `conflict`: what was carried is known with another text. `clientTaken`: it was
 * carried under a Yjs client that the document has already.
 */
export type RefusalOfFact =
	| CheckRefusal
	| 'keyIsAnother'
	| 'again'
	| 'tooMany'
	| 'conflict'
	| 'clientTaken';

export type Refused = readonly (readonly [string, RefusalOfFact])[];

export function factKey(scope: string, id: string): string {
	return `${scope} ${id}`;
}

export function deviceKey({ scope, code }: Device): string {
	return `${scope} ${code}`;
}

/** RELAY-22. Whose access an update stands on. */
export function bearerOf({ caller, bearer }: Submission): Device {
	return { scope: caller.scope, code: bearer?.code ?? caller.code };
}
