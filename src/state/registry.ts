import { parseBusinessId, type BusinessId } from '#domain/ids.ts';
import type { DeviceStore } from '#storage/device-store.ts';

/** Which businesses have a database on this device, and which of them it is working in. */
export interface Registry {
	current(): Promise<BusinessId | undefined>;
	/** The current business; where there is none yet, `first` becomes it. Two tabs get the same answer. */
	begin(first: BusinessId): Promise<BusinessId>;
	all(): Promise<readonly BusinessId[]>;
	/** Adds the business where it is new, and makes it the current one. */
	enter(business: BusinessId): Promise<void>;
	close(): void;
}

const CURRENT = 'current';
const BUSINESSES = 'businesses';

/** The registry lies in a small database of its own, in the form that every store has. */
export function createRegistry(store: DeviceStore): Registry {
	async function all(): Promise<readonly BusinessId[]> {
		return businessesOf(await store.read(['meta'], (rows) => rows.get('meta', BUSINESSES)));
	}

	return {
		all,
		async current() {
			const row = await store.read(['meta'], (rows) => rows.get('meta', CURRENT));
			return asBusiness(row?.value)[0];
		},
		begin: (first) =>
			store.write(['meta'], async (rows) => {
				const [held] = asBusiness((await rows.get('meta', CURRENT))?.value);
				if (held !== undefined) return held;
				await rows.put('meta', [
					{ key: CURRENT, value: first },
					{ key: BUSINESSES, value: [first] }
				]);
				return first;
			}),
		async enter(business) {
			await store.write(['meta'], async (rows) => {
				const businesses = new Set([...businessesOf(await rows.get('meta', BUSINESSES)), business]);
				await rows.put('meta', [
					{ key: CURRENT, value: business },
					{ key: BUSINESSES, value: [...businesses] }
				]);
			});
		},
		close: () => {
			store.close();
		}
	};
}

function businessesOf(row: { readonly value: unknown } | undefined): readonly BusinessId[] {
	return Array.isArray(row?.value) ? row.value.flatMap(asBusiness) : [];
}

function asBusiness(value: unknown): readonly BusinessId[] {
	const parsed = parseBusinessId(value);
	return parsed.ok ? [parsed.value] : [];
}
