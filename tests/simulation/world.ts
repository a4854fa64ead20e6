import type { Signer } from '#domain/crypto.ts';
import type { LedgerId, PersonId } from '#domain/ids.ts';
import type { OpenPhone } from '#state/customer/open-phone.ts';
import type { Device } from '#state/device.ts';
import type { Identity } from '#state/identity.ts';
import type { TabLead } from '#state/tab-lead.ts';
import type { Chance } from './chance.ts';
import type { Line, SimServer } from './database.ts';
import type { Disk } from './disk-contents.ts';
import type { Violation } from './invariants.ts';
import type { MachineParts, Profile, Tab } from './machine.ts';
import type { Network } from './network.ts';
import type { OpenDocument } from './open-documents.ts';
import type { Plan } from './plan.ts';
import type { RelayProcess } from './relay-process.ts';
import type { ShopRows } from './shop-rows.ts';
import type { SimTime } from './time.ts';
import type { Trace } from './trace.ts';
import type { Watch } from './watch.ts';

/** Everything that a run is made of. */
export interface World {
	readonly server: SimServer;
	/** The order in which the database's one connection is used. */
	readonly line: Line;
	readonly chance: Chance;
	readonly trace: Trace;
	readonly time: SimTime;
	readonly plan: Plan;
	readonly shops: readonly ShopRows[];
	readonly network: Network;
	readonly watch: Watch;
	readonly machine: MachineParts;
	readonly stations: Station[];
	readonly patrons: Patron[];
	/** By every code that customers were given, its own counter. */
	readonly codes: Map<string, number>;
	readonly violations: Violation[];
	readonly counts: Record<string, number>;
	readonly count: (name: string) => void;
	/** What machines have open just now. */
	readonly open: Set<OpenDocument>;
	/** The last process of each relay. */
	readonly relays: RelayProcess[];
	/** Whether anything may still break. */
	isRough: boolean;
	/** Whether the relays' database is being worked at, and none of them starts by itself. */
	isHeld: boolean;
	/** Starts each relay that does not run. */
	readonly startRelays: () => void;
}

/** A machine of a shop, and the people at it. */
export interface Station {
	readonly shop: ShopRows;
	readonly profile: Profile & {
		/** Which device it is, as its disk says. */
		identity: Identity;
	};
	/** What people were told is saved: every text under its id. */
	readonly said: Map<string, { readonly id: string; readonly text: string }>;
	readonly tabs: Set<ShopTab>;
	/** Its databases by name, and its keys. */
	readonly books: Map<string, Disk>;
	readonly keys: Map<string, Signer>;
	/** By the relay's database its access is ended: nothing new reaches it. */
	isRemoved: boolean;
	/** Opens what tabs are missing. */
	readonly open: () => void;
}

/** A customer, and his phone. */
interface Page {
	readonly ledger: LedgerId;
	readonly epoch: number;
	/** The counters that his phone shows. */
	readonly open: readonly number[];
	readonly codes: readonly string[];
}

export interface Patron {
	readonly person: PersonId;
	/** Of a session of his. */
	readonly cookie: string;
	/** Which of the first shop's cards is his. */
	readonly place: number;
	readonly profile: Profile;
	readonly said: Map<string, { readonly id: string; readonly text: string }>;
	readonly tab: Tab<OpenPhone> | undefined;
	readonly isOpening: boolean;
	readonly isLinked: boolean;
	/** What he is behind, or was until the relay forgot it. */
	readonly ledger: LedgerId | undefined;
	/** His page in the first shop, and the codes that he may tell there. */
	readonly page: Page | undefined;
}

export interface ShopTab extends Tab<Device> {
	readonly lead: TabLead;
	/** Looks away from it, or at it. */
	readonly look: (isVisible: boolean) => void;
}

/** A fault that we did not put in ourselves. */
export function tellFault(world: World, where: string, fault: unknown): void {
	if (isExpected(fault)) return;
	const detail = `${where}: ${wordsOf(fault)}`;
	world.violations.push({ promise: 'nothing breaks', detail });
}

export function isExpected(fault: unknown): boolean {
	return /simulated|no room left on this device/.test(wordsOf(fault));
}

export function wordsOf(fault: unknown): string {
	if (!(fault instanceof Error)) return String(fault);
	const cause = fault.cause === undefined ? '' : `; ${wordsOf(fault.cause)}`;
	return `${fault.stack?.split('\n').slice(0, 6).join(' ') ?? fault.message}${cause}`;
}

/** A word that stands in every name that a business gives. */
export function markerOf(business: string): string {
	return `m${business.slice(0, 8)}`;
}
