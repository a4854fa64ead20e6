import { parseUpdate } from '#server/relay/update-parser.ts';
import type { Violation } from './invariants.ts';
import type { Line } from './network.ts';

/** What is looked at while everything still moves. */
export interface Watch {
	/** A COMMIT made these facts durable. */
	readonly committed: (facts: readonly { readonly scope: string; readonly id: string }[]) => void;
	/** A device says that the relay has these. */
	readonly saysSent: (who: string, scope: string, ids: readonly string[]) => void;
	/** A document was opened on a machine, under this Yjs client. */
	readonly born: (client: number) => void;
	/** Yjs clients under which something could be told. */
	readonly clients: () => readonly number[];
	/** The relay forgot, or a machine was copied: a fact may come from two documents from here on. */
	readonly twinned: () => void;
	/** Looks at all that goes over the line of a machine of this scope. */
	readonly listen: (line: Line, own: { readonly scope: string; readonly marker: string }) => void;
	/**
	 * Twins in a document, of which the later one was written though a sync had brought the first:
	 * the document it was written in was opened after the first was durable.
	 */
	readonly twinsOf: (scope: string, updates: readonly Uint8Array[]) => void;
}

export interface WatchParts {
	readonly now: () => number;
	/** What only machines of a scope may hear, by scope. */
	readonly markers: ReadonlyMap<string, string>;
	readonly found: (violation: Violation) => void;
}

/** Between a COMMIT and the moment when every sync has it. */
const TAKE_OVER_MS = 200;

export function createWatch({ now, markers, found }: WatchParts): Watch {
	const committedAt = new Map<string, number>();
	let isTwinned = false;
	const bornAt = new Map<number, number>();
	return {
		committed: (facts) => {
			for (const { scope, id } of facts) {
				const key = `${scope} ${id}`;
				if (!committedAt.has(key)) committedAt.set(key, now());
			}
		},
		saysSent: (who, scope, ids) => {
			const early = ids.filter((id) => !committedAt.has(`${scope} ${id}`));
			if (early.length > 0)
				found({ promise: 'sent is at the relay', detail: `${who}: ${early.join()}` });
		},
		born: (client) => {
			bornAt.set(client, now());
		},
		clients: () => [...bornAt.keys()],
		twinned: () => {
			isTwinned = true;
		},
		listen: (line, own) => {
			line.heard = (message) => {
				const bytes = Buffer.from(message);
				for (const [scope, marker] of markers) {
					if (scope === own.scope || (!bytes.includes(marker) && !bytes.includes(scope))) continue;
					found({ promise: 'no byte crosses businesses', detail: `${line.name} heard ${marker}` });
				}
			};
		},
		twinsOf: (scope, updates) => {
			if (isTwinned) return;
			const clientByKey = new Map<string, number>();
			for (const update of updates) {
				const parsed = parseUpdate(update);
				for (const { key, client, text } of parsed.ok ? parsed.value.items : []) {
					if (key === undefined || text === undefined) continue;
					const first = clientByKey.get(key);
					clientByKey.set(key, first ?? client);
					if (first === undefined || first === client) continue;
					const born = bornAt.get(client) ?? 0;
					const at = committedAt.get(`${scope} ${key}`) ?? Infinity;
					if (at + TAKE_OVER_MS < born)
						found({
							promise: 'what a sync brings is not told again',
							detail: `${key} at ${String(at)}, written anew in a document opened at ${String(born)}`
						});
				}
			}
		}
	};
}
