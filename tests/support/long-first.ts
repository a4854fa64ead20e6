import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, the longest first. */
const LONGEST = [
	'tests/simulation/',
	'tests/fault/start',
	'server/database/embedded',
	'server/commands/keeping/backup',
	'server/relay/relay.test',
	'tests/replay',
	'tests/crash/crash',
	'tests/fault/'
];

/** Begins with what takes longest, so that no core waits for one file at the end. */
export class LongFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		const sorted = await super.sort(files);
		const placeOf = ({ moduleId }: TestSpecification): number => {
			const place = LONGEST.findIndex((part) => moduleId.includes(part));
			return place === -1 ? LONGEST.length : place;
		};
		return sorted.toSorted((a, b) => placeOf(a) - placeOf(b));
	}
}
