export const CHECKS = ['feed', 'facts', 'digests', 'documents', 'projections', 'bridge'] as const;

/** Something that is not as it must be, by its name. */
export interface Difference {
	readonly check: (typeof CHECKS)[number];
	readonly scope: string;
	readonly what: string;
}

/** A business that lost its documents has one difference for each fact: all are counted, few are kept. */
export interface Differences {
	/** The first of each scope. */
	readonly named: readonly Difference[];
	/** How many there are, by what was checked. */
	readonly wrong: Readonly<Record<Difference['check'], number>>;
	readonly note: (differences: Iterable<Difference>) => void;
}

export function createDifferences(namedOfScopeMax = 100): Differences {
	const named: Difference[] = [];
	const wrong = { feed: 0, facts: 0, digests: 0, documents: 0, projections: 0, bridge: 0 };
	const namedOf = new Map<string, number>();
	return {
		named,
		wrong,
		note: (differences) => {
			for (const difference of differences) {
				const { check, scope } = difference;
				wrong[check] += 1;
				const before = namedOf.get(scope) ?? 0;
				if (before === namedOfScopeMax) continue;
				namedOf.set(scope, before + 1);
				named.push(difference);
			}
		}
	};
}
