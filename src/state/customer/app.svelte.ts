import { createContext } from 'svelte';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { CancelReason } from '#domain/fact/ledger-fact.ts';
import type { PersonId } from '#domain/ids.ts';
import type { PersonView, RecordView, ShopKey, ShopView } from '#domain/person/view.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { isStorageFull } from '#storage/device-store.ts';
import type { ApiRefusal } from '../account-api.ts';
import { oneAtATime } from '../one-at-a-time.ts';
import type { RelayLink } from '../relay-link.ts';
import { SyncStatus } from '../sync-status.svelte.ts';
import type { UnsentAtRisk } from '../unsent-at-risk.ts';
import type { TabLead, TabRole } from '../tab-lead.ts';
import type { CustomerApi, PersonName, SheetForm } from './connections.ts';
import type { PeopleShelf } from './people-shelf.ts';
import type { ProvingOutcome } from './prove-phone.ts';
import type {
	Answered,
	AnswerRefusal,
	CodeSheet,
	CodesRefusal,
	CustomerDevice,
	UnsentAnswers
} from './device.ts';

/** One person's database, open in this page. */
export interface OpenPerson {
	readonly device: CustomerDevice;
	readonly lead: TabLead;
	/** A bearer token of this phone; undefined where the relay is not reached. */
	token(): Promise<string | undefined>;
	/** Makes this phone known to the relay; answers why it is not. */
	prove(): Promise<ProvingOutcome>;
	/** Makes its line, which waits until the phone is known. What it takes is loaded only now. */
	connect(onFault: (fault: unknown) => void): Promise<RelayLink>;
	/** Makes this phone one of the person's again, where it is let in no more; then the page is loaded anew. */
	enterAnew(): Promise<Result<undefined, ApiRefusal>>;
	close(): void;
}

export interface CustomerParts {
	readonly api: CustomerApi;
	readonly people: PeopleShelf;
	readonly openPerson: (person: PersonId) => Promise<OpenPerson>;
	/** This device's time, ms. */
	readonly clock: () => number;
}

const NOTHING: PersonView = {
	shops: [],
	toAnswer: [],
	asks: [],
	notices: [],
	unread: 0,
	seenUpTo: 0,
	newer: 0
};
const MINUTE_MS = 60_000;
const LEAD_WAIT_MS = 500;
/** The first screen is painted; then the network's turn has come. */
const CONNECT_AFTER_MS = 1_000;
/** While a phone has no line, or is not known to the relay, it is tried again after so long. */
const AGAIN_MS = 30_000;

/** What the customer's screens stand on: one person at a time, all that he may know of his shops. */
export class CustomerApp {
	readonly api: CustomerApi;
	readonly clock: () => number;
	/** Who is looked after with this app; the account's own person first. */
	people = $state.raw<readonly PersonName[]>([]);
	/** Who is looked at now. */
	person = $state.raw<PersonName | undefined>();
	view = $state.raw<PersonView>(NOTHING);
	/** Whether the relay knows this phone; before, nothing can be answered. */
	isEnrolled = $state.raw(false);
	/** Why the relay does not know this phone yet, as of the last try: `notSignedIn`, `unreachable` … */
	whyNotEnrolled = $state.raw<ProvingOutcome>();
	/** Another tab leads: here one may look. */
	isReadOnly = $state.raw(false);
	/** The disk took nothing the last time. */
	isStorageFull = $state.raw(false);
	unsent = $state.raw<UnsentAnswers>({
		count: 0,
		minor: 0n,
		oldestAt: undefined,
		refused: [],
		isOut: false
	});
	/** What broke last, where no screen awaited it. */
	fault = $state.raw<unknown>();
	readonly sync: SyncStatus;
	/** The relay knows no such phone, as one that was restored from an older copy. */
	readonly isUnknown = $derived.by(() => this.sync.halted === 'unknown');
	/** The relay lets this phone in no more: another took its place, it was removed, or is not known. */
	readonly isOut = $derived.by(
		() =>
			this.isUnknown ||
			this.sync.halted === 'rights' ||
			// Let go before it heard of its number: it has no line that would say so.
			this.whyNotEnrolled === 'deviceRemoved'
	);
	readonly #parts: CustomerParts;
	#open: OpenPerson | undefined;
	#link: RelayLink | undefined;
	#stops: (() => void)[] = [];
	#again: ReturnType<typeof setTimeout> | undefined;
	#isTicking = false;
	/** The secrets that the sets of codes were made from which were looked at last. */
	#named = '';
	/** Moves with each account that signs in or out. */
	#account = 0;
	/** Who is looked at changes once at a time, in the order in which it was asked for. */
	readonly #inTurn = oneAtATime();

	constructor(parts: CustomerParts) {
		this.#parts = parts;
		this.api = parts.api;
		this.clock = parts.clock;
		this.sync = new SyncStatus(parts.clock);
	}

	/**
	 * Opens the person who was looked at last, or `first`, with what this device holds of him. Where
	 * `first` is none of those known here another account signed in: its people are its own.
	 */
	async begin(first: PersonName): Promise<void> {
		await this.#inTurn(() => this.#beginWith(first));
		if (!this.#isTicking) {
			setInterval(() => {
				this.#look();
			}, MINUTE_MS);
			this.#isTicking = true;
		}
		setTimeout(() => void this.awaitless(this.refreshPeople()), CONNECT_AFTER_MS);
	}

	/** Asks the relay whom this account looks after; without a network what was known stays. */
	async refreshPeople(): Promise<Result<undefined, ApiRefusal>> {
		const isSame = this.#inThisAccount();
		const asked = await this.api.people();
		if (!asked.ok) return asked;
		await this.#keepPeople(asked.value, isSame);
		return ok(undefined);
	}

	/** Adds somebody who is looked after with this app, and looks at him. */
	async addPerson(name: string): Promise<Result<undefined, ApiRefusal>> {
		const isSame = this.#inThisAccount();
		const added = await this.api.addPerson(name);
		if (!added.ok) return added;
		const { person } = added.value;
		await this.#keepPeople([{ person, name }], isSame);
		await this.switchTo(person);
		return ok(undefined);
	}

	/** Looks at another person: an own database, own answers, own codes. */
	async switchTo(person: PersonId): Promise<void> {
		await this.#inTurn(async () => {
			const next = this.people.find((one) => one.person === person);
			if (next === undefined || next.person === this.person?.person) return;
			await this.#enter(next);
		});
	}

	/** A shop by the id in a screen's address; undefined where this person has none such. */
	shop(id: string): ShopView | undefined {
		return this.view.shops.find((shop) => shop.id === id);
	}

	record(h: string): RecordView | undefined {
		for (const { records } of this.view.shops) {
			const found = records.find((record) => record.h === h);
			if (found !== undefined) return found;
		}
		return undefined;
	}

	accept(hs: readonly RecordHash[]): Promise<Result<Answered, AnswerRefusal>> {
		return this.#keeping((device) => device.accept(hs));
	}

	cancel(
		h: RecordHash,
		reason: CancelReason,
		note?: string
	): Promise<Result<Answered, AnswerRefusal>> {
		return this.#keeping((device) => device.cancel(h, reason, note));
	}

	drop(h: RecordHash): Promise<Result<Answered, AnswerRefusal>> {
		return this.#keeping((device) => device.drop(h));
	}

	acceptAll(shop: ShopKey): Promise<Result<Answered, AnswerRefusal>> {
		return this.#keeping((device) => device.acceptAll(shop));
	}

	/** What stands on the screen was looked at. */
	async markSeen(): Promise<void> {
		const device = this.#open?.device;
		if (device === undefined || this.isReadOnly) return;
		await this.awaitless(device.markSeen());
	}

	/** The open codes of a shop with their digits. */
	async codesOf(shop: ShopKey): Promise<Result<readonly CodeSheet[], CodesRefusal>> {
		const open = this.#open;
		if (open === undefined) return err('shopUnknown');
		const found = await open.device.codesOf(shop);
		if (found.ok || found.error !== 'secretMissing') return found;
		// Made from another than those before, since a phone was removed.
		await this.#prove(open);
		return open.device.codesOf(shop);
	}

	/** A new set of codes for this person; the old ones of that shop end. Needs the network. */
	async newSheet(form: SheetForm): Promise<Result<undefined, ApiRefusal>> {
		const { person } = this;
		const token = await this.#open?.token();
		if (person === undefined || token === undefined) return err('unreachable');
		const made = await this.api.newSheet(person.person, form, token);
		return made.ok ? ok(undefined) : made;
	}

	/** The open codes by SMS to the number that this person proved. Needs the network. */
	async sheetBySms(shop: ShopKey): Promise<Result<undefined, ApiRefusal>> {
		const { person } = this;
		const token = await this.#open?.token();
		if (person === undefined || token === undefined) return err('unreachable');
		const sent = await this.api.sheetBySms(person.person, shop, token);
		return sent.ok ? ok(undefined) : sent;
	}

	/** Makes this phone one of the person's again. Needs the network and his session. */
	enterAnew(): Promise<Result<undefined, ApiRefusal>> {
		return this.#open?.enterAnew() ?? Promise.resolve(err('unreachable'));
	}

	/**
	 * What signing out would lose, of every person of this device: nothing of one whose phone this is no
	 * more, which goes by no network.
	 */
	async atRisk(): Promise<UnsentAtRisk> {
		const all = await Promise.all(this.people.map(({ person }) => this.#unsentOf(person)));
		const lost = all.filter(({ isOut }) => !isOut);
		return {
			count: lost.reduce((sum, { count }) => sum + count, 0),
			minor: lost.reduce((sum, { minor }) => sum + minor, 0n)
		};
	}

	/** Forgets whom this device looks after, once its account is signed out. */
	async forget(): Promise<void> {
		await this.#inTurn(async () => {
			this.#account += 1;
			this.#leave();
			this.people = [];
			this.person = undefined;
			await this.#parts.people.leave();
		});
	}

	/** The network came back, or the page is looked at again: tries now. */
	wake(): void {
		this.#link?.wake();
		const open = this.#open;
		if (open !== undefined && !this.isEnrolled) void this.awaitless(this.#prove(open));
	}

	/** Shows a fault of what no screen awaits. */
	async awaitless(work: Promise<unknown>): Promise<void> {
		try {
			await work;
		} catch (fault) {
			this.fault = fault;
		}
	}

	async #beginWith(first: PersonName): Promise<void> {
		const { people } = this.#parts;
		const known = await people.all();
		if (!known.some(({ person }) => person === first.person)) {
			this.#account += 1;
			this.#leave();
			this.person = undefined;
			await people.leave();
			await people.keep([first]);
		}
		this.people = await people.all();
		const current = await people.current();
		await this.#enter(this.people.find(({ person }) => person === current) ?? first);
	}

	/** Whether it is still the account that it was when this was asked for. */
	#inThisAccount(): () => boolean {
		const account = this.#account;
		return () => this.#account === account;
	}

	/** CUSTOMER-7. What the relay said of an account that signed out meanwhile is nobody's of the next. */
	#keepPeople(people: readonly PersonName[], isSame: () => boolean): Promise<void> {
		return this.#inTurn(async () => {
			if (!isSame()) return;
			await this.#parts.people.keep(people);
			this.people = await this.#parts.people.all();
			this.person = this.people.find(({ person }) => person === this.person?.person) ?? this.person;
		});
	}

	/** Leaves who was looked at once the next one is open and kept as such: where that fails, he stays. */
	async #enter(next: PersonName): Promise<void> {
		const open = await this.#parts.openPerson(next.person);
		const contactAt = await this.#keepEntered(next, open).catch((fault: unknown) => {
			open.close();
			throw fault;
		});
		this.#leave();
		this.#open = open;
		this.sync.lastContactAt = contactAt;
		this.person = next;
		this.#named = secretsNamed(open.device.view());
		this.#look();
		this.#stops.push(
			open.device.on(() => {
				this.#look();
			})
		);
		this.#followLead(open);
		this.#connectIn(open, CONNECT_AFTER_MS);
	}

	async #keepEntered(next: PersonName, { device }: OpenPerson): Promise<number | undefined> {
		const contactAt = await device.lastContactAt();
		await this.#parts.people.enter(next.person);
		return contactAt;
	}

	async #unsentOf(person: PersonId): Promise<UnsentAnswers> {
		if (person === this.person?.person && this.#open !== undefined) {
			const unsent = await this.#open.device.unsent();
			return { ...unsent, isOut: unsent.isOut || this.isOut };
		}
		const other = await this.#parts.openPerson(person);
		try {
			return await other.device.unsent();
		} finally {
			other.close();
		}
	}

	#leave(): void {
		for (const stop of this.#stops.splice(0)) stop();
		clearTimeout(this.#again);
		const link = this.#link;
		const open = this.#open;
		this.#link = undefined;
		this.#open = undefined;
		this.view = NOTHING;
		this.whyNotEnrolled = undefined;
		this.sync.halted = undefined;
		const over = async (): Promise<void> => {
			await link?.stop();
			open?.close();
		};
		void this.awaitless(over());
	}

	#connectIn(open: OpenPerson, ms: number): void {
		const timer = setTimeout(() => void this.awaitless(this.#connect(open)), ms);
		this.#stops.push(() => {
			clearTimeout(timer);
		});
	}

	async #connect(open: OpenPerson): Promise<void> {
		const made = open.connect((fault) => {
			this.fault = fault;
		});
		const link = await made.catch((fault: unknown) => {
			if (this.#open === open) this.#connectIn(open, AGAIN_MS);
			throw fault;
		});
		if (this.#open !== open) return;
		this.#link = link;
		this.#stops.push(
			link.on((status) => {
				this.sync.take(status);
			})
		);
		this.sync.take(link.status);
		const follow = (role: TabRole): void => {
			void this.awaitless(role === 'leader' ? this.#lead(open, link) : link.stop());
		};
		this.#stops.push(open.lead.on(follow));
		if (open.lead.role === 'leader') await this.#lead(open, link);
	}

	async #lead(open: OpenPerson, link: RelayLink): Promise<void> {
		// What goes wrong with it is tried again by itself.
		await this.awaitless(link.start());
		await this.#prove(open);
	}

	/** Tries until the relay knows this phone, and when the page wakes; once it does, this asks nothing any more. */
	async #prove(open: OpenPerson): Promise<void> {
		if (this.#open !== open || open.lead.role !== 'leader') return;
		try {
			const why = await open.prove();
			if (this.#open !== open) return;
			this.whyNotEnrolled = why;
			if (why !== undefined) this.#proveAgain(open);
		} catch (fault) {
			this.#proveAgain(open);
			throw fault;
		}
	}

	#proveAgain(open: OpenPerson): void {
		if (this.#open !== open) return;
		clearTimeout(this.#again);
		this.#again = setTimeout(() => void this.awaitless(this.#prove(open)), AGAIN_MS);
	}

	/** A lock is given in a moment; until then nobody is told that another tab has it. */
	#followLead(open: OpenPerson): void {
		const look = (): void => {
			this.isReadOnly = open.lead.role === 'reader';
		};
		this.#stops.push(open.lead.on(look));
		const timer = setTimeout(look, LEAD_WAIT_MS);
		this.#stops.push(() => {
			clearTimeout(timer);
		});
	}

	#look(): void {
		const open = this.#open;
		if (open === undefined) return;
		this.view = open.device.view();
		this.isEnrolled = open.device.identity.code !== undefined;
		void this.awaitless(this.#count(open));
		const named = secretsNamed(this.view);
		if (named === this.#named) return;
		this.#named = named;
		// While there is a network: where its codes are shown there may be none.
		void this.awaitless(this.#prove(open));
	}

	async #count(open: OpenPerson): Promise<void> {
		const unsent = await open.device.unsent();
		if (this.#open !== open) return;
		this.unsent = unsent;
		this.sync.unsent = unsent.count;
		this.sync.unsentMinor = unsent.minor;
		this.sync.oldestAt = unsent.oldestAt;
		this.sync.refused = unsent.refused;
		this.sync.tick();
	}

	/** Tells a full disk from success; the fault goes on to whoever awaited the act. */
	async #keeping<T>(
		act: (device: CustomerDevice) => Promise<Result<T, AnswerRefusal>>
	): Promise<Result<T, AnswerRefusal>> {
		const device = this.#open?.device;
		if (device === undefined) return err('notEnrolled');
		try {
			const result = await act(device);
			this.isStorageFull = false;
			return result;
		} catch (fault) {
			if (isStorageFull(fault)) this.isStorageFull = true;
			throw fault;
		}
	}
}

/** From which secrets the sets of all shops are made, as their cards name them. */
function secretsNamed({ shops }: PersonView): string {
	return shops.flatMap(({ codes }) => codes.flatMap(({ secret }) => secret ?? [])).join(' ');
}

export const [useCustomer, provideCustomer] = createContext<CustomerApp>();
