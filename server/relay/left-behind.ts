import type { ScopeId } from '#server/auth/relay-fact-draft.ts';

/**
 * How far the feeds had come of those whose sockets are all gone. What their devices were told is committed
 * no less for that: a fault of the database sends away just those who wrote last.
 */
export interface LeftBehind {
	/** Never lower than what was noted before. */
	readonly note: (scope: ScopeId, s: number) => void;
	/** Somebody is connected again, and knows as much. */
	readonly forget: (scope: ScopeId) => void;
	/** 0 where nothing is known. */
	readonly cameTo: (scope: ScopeId) => number;
	readonly all: () => readonly (readonly [scope: ScopeId, s: number])[];
}

/** The oldest are forgotten beyond so many: each look asks for all of them. */
const SCOPES_MAX = 2_000;

export function createLeftBehind(scopesMax = SCOPES_MAX): LeftBehind {
	const sByScope = new Map<ScopeId, number>();
	const cameTo = (scope: ScopeId): number => sByScope.get(scope) ?? 0;
	return {
		note: (scope, s) => {
			const furthest = Math.max(s, cameTo(scope));
			// Anew, so that it is the youngest.
			sByScope.delete(scope);
			if (furthest > 0) sByScope.set(scope, furthest);
			const [oldest] = sByScope.keys();
			if (sByScope.size > scopesMax && oldest !== undefined) sByScope.delete(oldest);
		},
		forget: (scope) => {
			sByScope.delete(scope);
		},
		cameTo,
		all: () => Array.from(sByScope)
	};
}
