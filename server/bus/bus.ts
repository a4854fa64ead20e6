import type { ScopeId } from '#server/auth/relay-fact-draft.ts';

/** That something moved, and never what: whoever hears it fetches what it lacks from the database. */
export interface BusNews {
	/** The business or person whose feed or document moved. */
	readonly scope: ScopeId;
	/** The document that grew; null where it was something else: the relay's own facts, or somebody's rights. */
	readonly document: string | null;
	/** How far the scope's feed has come; 0 where it is not said. */
	readonly s: number;
}

/**
 * One relay's end of what joins the relays of one database. What one end publishes the others hear,
 * itself not. News may be lost, come late, doubled, merged or out of order; it is never waited for,
 * and a bus that is down holds nobody up.
 */
export interface Bus {
	/** Returns at once and never throws. */
	publish(news: BusNews): void;
	/** Calls with what the others publish, from now on. Returns the way to stop. */
	subscribe(heard: (news: BusNews) => void): () => void;
	close(): Promise<void>;
}

/** Told once when a bus goes down, and once when it is back. */
export type BusEvent = { readonly kind: 'down'; readonly fault: unknown } | { readonly kind: 'up' };

export type TellBusEvent = (event: BusEvent) => void;
