import { decodeClientFrame } from '#sync/frames.ts';
import { parseUpdate } from '#server/relay/update-parser.ts';
import type { Violation } from './invariants.ts';
import type { Line } from './network.ts';

/** What is looked at while everything still moves. */
export interface Watch {
	/** A COMMIT made these facts durable. */
	readonly committed: (facts: readonly { readonly scope: string; readonly id: string }[]) => void;
	/** A device says that the relay has these. */
	readonly saysSent: (who: string, scope: string, ids: readonly string[]) => void;
	/** Yjs clients under which something was told. */
	readonly clients: () => readonly number[];
	/** The relay forgot, or a machine was copied: a fact may come from two documents from here on. */
	readonly twinned: () => void;
	/** Looks at all that goes over the line of a machine of this scope. */
	readonly listen: (line: Line, own: { readonly scope: string; readonly marker: string }) => void;
	/** Twins in a document, of which the later one was told though a sync had brought the first. */
	readonly twinsOf: (scope: string, document: string, updates: readonly Uint8Array[]) => void;
}

export interface WatchParts {
	readonly now: () => number;
	/** What only machines of a scope may hear, by scope. */
	readonly markers: ReadonlyMap<string, string>;
	readonly found: (violation: Violation) => void;
}

/** Between a COMMIT and the moment when every socket's sync has it. */
const TAKE_OVER_MS = 200;

export function createWatch({ now, markers, found }: WatchParts): Watch {
	const committedAt = new Map<string, number>();
	let isTwinned = false;
	/** When the socket was opened over which a client's item was told first. */
	const openAtOf = new Map<string, number>();
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
		clients: () => [...new Set(Array.from(openAtOf.keys(), (key) => Number(key.split(' ')[1])))],
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
			line.said = (bytes, { document, openAt }) => {
				for (const item of itemsOf(bytes)) {
					const key = `${document} ${item}`;
					if (!openAtOf.has(key)) openAtOf.set(key, openAt);
				}
			};
		},
		twinsOf: (scope, document, updates) => {
			if (isTwinned) return;
			const clientByKey = new Map<string, number>();
			for (const update of updates) {
				const parsed = parseUpdate(update);
				for (const { key, client, text } of parsed.ok ? parsed.value.items : []) {
					if (key === undefined || text === undefined) continue;
					const first = clientByKey.get(key);
					clientByKey.set(key, first ?? client);
					if (first === undefined || first === client) continue;
					const openAt = openAtOf.get(`${document} ${String(client)} ${key}`) ?? 0;
					const at = committedAt.get(`${scope} ${key}`) ?? Infinity;
					if (at + TAKE_OVER_MS < openAt)
						found({
							promise: 'what a sync brings is not told again',
							detail: `${key} at ${String(at)}, told anew on a socket of ${String(openAt)}`
						});
				}
			}
		}
	};
}

/** `{client} {key}` of each fact that a message tells. */
function itemsOf(bytes: Uint8Array): readonly string[] {
	const frame = decodeClientFrame(bytes);
	if (frame === undefined || !('update' in frame)) return [];
	const parsed = parseUpdate(frame.update);
	if (!parsed.ok) return [];
	return parsed.value.items.flatMap(({ key, client }) =>
		key === undefined ? [] : [`${String(client)} ${key}`]
	);
}
