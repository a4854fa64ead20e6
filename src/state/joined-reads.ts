import type { DeviceStore, StoreReader, TableName } from '#storage/device-store.ts';

interface Question {
	readonly tables: readonly TableName[];
	readonly ask: (rows: StoreReader) => Promise<unknown>;
	readonly give: (answer: Promise<unknown>) => void;
}

/** One question's fault is not another's. */
async function hear(
	{ ask }: Question,
	rows: StoreReader
): Promise<readonly [value: unknown, fault?: { readonly of: unknown }]> {
	try {
		return [await ask(rows)];
	} catch (of) {
		return [undefined, { of }];
	}
}

/**
 * A store that answers what is asked in the same moment in one transaction: on a slow phone each
 * further one costs more than what it reads, and a screen begins with half a dozen questions.
 */
export function createJoinedReads(store: DeviceStore): DeviceStore {
	let waiting: Question[] = [];

	function flush(): void {
		const questions = waiting;
		waiting = [];
		const tables = [...new Set(questions.flatMap((one) => one.tables))];
		const answers = store.read(tables, (rows) =>
			Promise.all(questions.map((one) => hear(one, rows)))
		);
		for (const [place, { give }] of questions.entries()) {
			give(
				answers.then((all) => {
					const [value, fault] = all[place] ?? [];
					if (fault !== undefined) throw fault.of;
					return value;
				})
			);
		}
	}

	return {
		...store,
		read: <T>(tables: readonly TableName[], work: (rows: StoreReader) => Promise<T>) =>
			new Promise<T>((resolve) => {
				if (waiting.length === 0) queueMicrotask(flush);
				waiting.push({
					tables,
					ask: work,
					give: (answer) => {
						resolve(answer as Promise<T>);
					}
				});
			})
	};
}
