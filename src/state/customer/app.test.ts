import { beforeEach, describe, expect, it, vi } from 'vitest';
import { secretId } from '#domain/confirmation/codes.ts';
import type { PersonId } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { createCustomerStand, uuid, type CustomerStand } from '#tests/support/customer-stand.ts';
import { arriving, openTestPhone, type TestPhone } from '#tests/support/customer-phone.ts';
import { writeMeta } from '../meta.ts';
import type { LinkStatus, RelayLink } from '../relay-link.ts';
import type { TabLead, TabRole } from '../tab-lead.ts';
import { createWebCrypto } from '../web-crypto.ts';
import { CustomerApp, type OpenPerson } from './app.svelte.ts';
import { createCustomerApi, type CustomerApi, type PersonName } from './connections.ts';
import { createPeopleShelf, type PeopleShelf } from './people-shelf.ts';
import type { ProvingOutcome } from './prove-phone.ts';

const amina: PersonName = { person: uuid(1, 0xe) as PersonId, name: 'Amina' };
const mother: PersonName = { person: uuid(7, 0xe) as PersonId, name: 'Mother' };
const STATUS: LinkStatus = {
	state: 'online',
	unsent: 0,
	feedBehind: 0,
	lastContactAt: undefined,
	clockOffMs: undefined,
	refused: [],
	halted: undefined
};

let stand: CustomerStand;
let people: PeopleShelf;
let phones: Map<PersonId, TestPhone>;
/** What happened to lines and databases, in order. */
let done: string[];
let role: TabRole;
let proving: ProvingOutcome;
/** What goes wrong the next times that it is asked for. */
let faults: string[];
let api: CustomerApi;

beforeEach(async () => {
	vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
	stand = await createCustomerStand();
	stand.card();
	people = createPeopleShelf(createMemoryDeviceStore());
	phones = new Map();
	done = [];
	role = 'leader';
	proving = undefined;
	faults = [];
	const noNetwork = createCustomerApi({ fetch: () => Promise.reject(new TypeError('offline')) });
	api = noNetwork;
	return () => {
		vi.useRealTimers();
	};
});

async function phoneOf(person: PersonId): Promise<TestPhone> {
	const known = phones.get(person);
	if (known !== undefined) return known;
	vi.useRealTimers();
	const phone = await openTestPhone(person, { number: 1 });
	phones.set(person, phone);
	return phone;
}

function lead(): TabLead {
	return { role, on: () => () => undefined, close: () => undefined };
}

function link(name: string): RelayLink {
	return {
		status: STATUS,
		on: () => () => undefined,
		start: () => {
			done.push(`start ${name}`);
			return faulty('start');
		},
		stop: () => {
			done.push(`stop ${name}`);
			return Promise.resolve();
		},
		wake: () => {
			done.push(`wake ${name}`);
		}
	};
}

function faulty(what: string): Promise<void> {
	if (faults[0] !== what) return Promise.resolve();
	return Promise.reject(new Error(faults.shift()));
}

async function openPerson(person: PersonId): Promise<OpenPerson> {
	const { phone } = await phoneOf(person);
	await faulty('open');
	const name = person === amina.person ? 'amina' : 'mother';
	// The app of a test that is over goes on the network a second later, in the next one's.
	const ofTest = stand;
	return {
		device: phone,
		lead: lead(),
		token: () => Promise.resolve('tok'),
		prove: () => {
			done.push(`prove ${name}`);
			return faulty('prove').then(() => proving);
		},
		connect: () =>
			ofTest === stand ? faulty('connect').then(() => link(name)) : new Promise(() => undefined),
		enterAnew: () => {
			done.push(`enter ${name} anew`);
			return Promise.resolve(ok(undefined));
		},
		close: () => {
			done.push(`close ${name}`);
		}
	};
}

async function opened(): Promise<CustomerApp> {
	const app = new CustomerApp({ api, people, openPerson, clock: () => stand.now });
	await app.begin(amina);
	return app;
}

describe('the customer’s app', () => {
	it('[CUSTOMER-11] starts with no network and shows what was here', async () => {
		await stand.book({ kind: 'due', minor: 500 });
		const { phone, store } = await phoneOf(amina.person);
		await phone.receive(arriving(stand.texts));
		await store.write(['meta'], (rows) => writeMeta(rows, 'contactAt', stand.now - 60_000));
		const app = await opened();
		expect(app.sync.lastContactAt).toBe(stand.now - 60_000);
		expect(app.person).toEqual(amina);
		expect(app.people).toEqual([amina]);
		expect(app.view.toAnswer).toHaveLength(1);
		expect(app.isEnrolled).toBe(true);
		expect(await app.refreshPeople()).toEqual(err('unreachable'));
		expect(app.people).toEqual([amina]);
		const shop = app.view.shops[0];
		expect(app.shop(shop?.id ?? '')).toBe(shop);
		expect(app.record(app.view.toAnswer[0]?.h ?? '')?.amountMinor).toBe(500);
		expect(app.record('nothing')).toBeUndefined();
	});

	it('[CUSTOMER-1] shows an answer as soon as it is saved, and counts it as unsent', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		await (await phoneOf(amina.person)).phone.receive(arriving(stand.texts));
		const app = await opened();
		expect(await app.cancel(h, 'alreadyPaid')).toEqual(ok({ hs: [h] }));
		expect(app.view.toAnswer).toEqual([]);
		await vi.waitFor(() => {
			expect(app.unsent).toMatchObject({ count: 1, minor: 500n });
		});
		expect(app.sync.unsent).toBe(1);
	});

	it('[CUSTOMER-7] looks at another person: his database, his line, and nothing of the first', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		await (await phoneOf(amina.person)).phone.receive(arriving(stand.texts));
		await phoneOf(mother.person);
		await people.keep([amina, mother]);
		const app = await opened();
		await app.accept([h]);
		await app.switchTo(mother.person);
		expect(app.person).toEqual(mother);
		expect(app.sync.lastContactAt).toBeUndefined();
		expect(app.view.shops).toEqual([]);
		expect(await app.accept([h])).toEqual(err('recordUnknown'));
		expect(done).toContain('close amina');
		expect(await people.current()).toBe(mother.person);
		expect(await app.atRisk()).toEqual({ count: 1, minor: 500n });
		await app.switchTo(uuid(9, 0xe) as PersonId);
		expect(app.person).toEqual(mother);

		const again = await opened();
		expect(again.person).toEqual(mother);
	});

	it('[CUSTOMER-20] of several who are chosen at once the last is looked at, and no other stays open', async () => {
		await phoneOf(amina.person);
		await phoneOf(mother.person);
		await people.keep([amina, mother]);
		const app = await opened();
		const chosen = [mother, amina, mother].map(({ person }) => app.switchTo(person));
		await Promise.all(chosen);
		expect(app.person).toEqual(mother);
		expect(done).toEqual(['close amina', 'close mother', 'close amina']);
		await Promise.all([app.switchTo(amina.person), app.forget()]);
		expect([app.person, await people.current()]).toEqual([undefined, undefined]);
		expect(done.slice(-2)).toEqual(['close mother', 'close amina']);
	});

	it('[CUSTOMER-20] who was looked at stays where the next one’s database does not open', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		await (await phoneOf(amina.person)).phone.receive(arriving(stand.texts));
		await phoneOf(mother.person);
		await people.keep([amina, mother]);
		const app = await opened();
		faults = ['open'];
		await expect(app.switchTo(mother.person)).rejects.toThrow('open');
		expect(app.person).toEqual(amina);
		expect(await app.accept([h])).toEqual(ok({ hs: [h] }));
		await app.switchTo(mother.person);
		expect(app.person).toEqual(mother);
	});

	it('[CUSTOMER-20] who cannot be kept as the one looked at is closed again, at the start too', async () => {
		await phoneOf(amina.person);
		await phoneOf(mother.person);
		await people.keep([amina, mother]);
		const shelf = people;
		people = { ...shelf, enter: (person) => faulty('enter').then(() => shelf.enter(person)) };
		faults = ['enter'];
		await expect(opened()).rejects.toThrow('enter');
		// Whoever opens the app anew would else never get the lead of that person’s book.
		expect(done).toEqual(['close amina']);
		const app = await opened();
		faults = ['enter'];
		await expect(app.switchTo(mother.person)).rejects.toThrow('enter');
		expect([app.person, await people.current()]).toEqual([amina, amina.person]);
		expect(done).toEqual(['close amina', 'close mother']);
		await app.switchTo(mother.person);
		expect(app.person).toEqual(mother);
	});

	it('[CUSTOMER-7] adds a person at the relay, and looks at him', async () => {
		api = { ...api, addPerson: () => Promise.resolve(ok({ person: mother.person })) };
		await phoneOf(mother.person);
		const app = await opened();
		expect(await app.addPerson('Mother')).toEqual(ok(undefined));
		expect(app.person).toEqual(mother);
		expect(app.people).toEqual([amina, mother]);
		await app.forget();
		expect(await people.all()).toEqual([]);
		expect(app.view.shops).toEqual([]);
	});

	it('[CUSTOMER-12] says that its phone is let in no more, and asks nobody to wait for a network', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		await (await phoneOf(amina.person)).phone.receive(arriving(stand.texts));
		const app = await opened();
		await app.accept([h]);
		expect(app.isOut).toBe(false);
		app.sync.take({ ...STATUS, halted: 'rights' });
		expect(app.isOut).toBe(true);
		expect(await app.atRisk()).toEqual({ count: 0, minor: 0n });
		expect(await app.enterAnew()).toEqual(ok(undefined));
		expect(done).toContain('enter amina anew');
		await people.keep([amina, mother]);
		await app.refreshPeople();
		await phoneOf(mother.person);
		app.people = await people.all();
		await app.switchTo(mother.person);
		expect(app.isOut).toBe(false);
	});

	it('[CUSTOMER-12] says so too of a phone that was let go before it heard of its number', async () => {
		await phoneOf(amina.person);
		await phoneOf(mother.person);
		await people.keep([amina, mother]);
		vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
		proving = 'unreachable';
		const app = await opened();
		await vi.advanceTimersByTimeAsync(1_000);
		expect(app.isOut).toBe(false);
		proving = 'deviceRemoved';
		await vi.advanceTimersByTimeAsync(30_000);
		expect([app.isOut, app.isUnknown]).toEqual([true, false]);
		await app.switchTo(mother.person);
		expect(app.isOut).toBe(false);
	});

	it('[CUSTOMER-12] asks nobody to wait for one whose phone is let in no more, whoever is looked at', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		const out = await phoneOf(amina.person);
		await out.phone.receive(arriving(stand.texts));
		await phoneOf(mother.person);
		await people.keep([amina, mother]);
		const app = await opened();
		await app.accept([h]);
		await app.switchTo(mother.person);
		expect(await app.atRisk()).toEqual({ count: 1, minor: 500n });
		// As its line noted it.
		await out.store.write(['meta'], (rows) => writeMeta(rows, 'removedAt', stand.now));
		expect(await app.atRisk()).toEqual({ count: 0, minor: 0n });
		await app.switchTo(amina.person);
		expect(await app.atRisk()).toEqual({ count: 0, minor: 0n });
	});

	it('[CUSTOMER-7] shows nobody of another account, and keeps what is unsent of them', async () => {
		const h = await stand.book({ kind: 'due', minor: 500 });
		await (await phoneOf(amina.person)).phone.receive(arriving(stand.texts));
		await phoneOf(mother.person);
		const first = await opened();
		await first.accept([h]);
		const other = new CustomerApp({ api, people, openPerson, clock: () => stand.now });
		await other.begin(mother);
		expect(other.people).toEqual([mother]);
		expect(other.person).toEqual(mother);
		const again = await opened();
		expect(again.person).toEqual(amina);
		expect(await again.atRisk()).toEqual({ count: 1, minor: 500n });
	});

	it('[CUSTOMER-7] whom an account looked after is nobody of the next, though the relay says it late', async () => {
		await phoneOf(amina.person);
		await phoneOf(mother.person);
		const app = await opened();
		const late: (() => void)[] = [];
		const asked = <T>(answer: T): Promise<T> =>
			new Promise((resolve) => {
				late.push(() => {
					resolve(answer);
				});
			});
		const father: PersonName = { person: uuid(8, 0xe) as PersonId, name: 'Father' };
		api.people = () => asked(ok([amina, father]));
		api.addPerson = () => asked(ok({ person: father.person }));
		const work = [app.refreshPeople(), app.addPerson('Father')];
		await app.forget();
		for (const answer of late) answer();
		await Promise.all(work);
		expect([app.people, await people.all(), app.person]).toEqual([[], [], undefined]);
		api.people = () => Promise.resolve(ok([mother]));
		await app.begin(mother);
		expect([app.people, app.person]).toEqual([[mother], mother]);
		expect(await people.all()).toEqual([mother]);
	});

	it('[CUSTOMER-6] asks to be known until it is, and again when the page wakes', async () => {
		await phoneOf(amina.person);
		vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
		proving = 'unreachable';
		const app = await opened();
		await vi.advanceTimersByTimeAsync(1_000);
		expect(done).toEqual(['start amina', 'prove amina']);
		expect(app.whyNotEnrolled).toBe('unreachable');
		expect(app.sync.link).toBe('online');
		proving = undefined;
		await vi.advanceTimersByTimeAsync(30_000);
		expect(done.filter((one) => one === 'prove amina')).toHaveLength(2);
		await vi.advanceTimersByTimeAsync(60_000);
		expect(done.filter((one) => one === 'prove amina')).toHaveLength(2);
		app.wake();
		expect(done.at(-1)).toBe('wake amina');
	});

	it('[CUSTOMER-6] goes on the network and is made known though something went wrong with it first', async () => {
		await phoneOf(amina.person);
		vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
		faults = ['connect', 'start', 'prove'];
		const app = await opened();
		await vi.advanceTimersByTimeAsync(1_000);
		expect([done, String(app.fault)]).toEqual([[], 'Error: connect']);
		await vi.advanceTimersByTimeAsync(30_000);
		expect([done, String(app.fault)]).toEqual([['start amina', 'prove amina'], 'Error: prove']);
		await vi.advanceTimersByTimeAsync(30_000);
		expect(done).toEqual(['start amina', 'prove amina', 'prove amina']);
		await vi.advanceTimersByTimeAsync(60_000);
		expect([done.length, faults]).toEqual([3, []]);
	});

	it('[CODES-14] fetches what codes are made from when somebody would see them, and asks for them as this phone', async () => {
		const { phone } = await phoneOf(amina.person);
		stand.codes({});
		await phone.receive(arriving(stand.texts));
		const asked: string[] = [];
		api = {
			...api,
			sheetBySms: (_person, _shop, token) => {
				asked.push(`list ${token}`);
				return Promise.resolve(ok(undefined));
			},
			newSheet: (_person, _form, token) => {
				asked.push(`set ${token}`);
				return Promise.resolve(ok(undefined));
			}
		};
		const app = await opened();
		expect(await app.codesOf(stand)).toEqual(err('secretMissing'));
		expect(done.filter((what) => what === 'prove amina')).toHaveLength(1);
		await phone.keepSecrets([new Uint8Array(32).fill(3)]);
		expect((await app.codesOf(stand)).ok).toBe(true);
		expect(done.filter((what) => what === 'prove amina')).toHaveLength(1);
		const form = { kind: 'debit', currency: 'KES', exponent: 2, cap: 500 } as const;
		await app.newSheet({ ...form, business: stand.business, ledger: stand.ledger });
		await app.sheetBySms(stand);
		expect(asked).toEqual(['set tok', 'list tok']);
	});

	it('[CODES-14] fetches what a set is made from when it hears of the set, before it is without a network', async () => {
		const { phone } = await phoneOf(amina.person);
		await phone.receive(arriving(stand.texts));
		vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
		const app = await opened();
		await vi.advanceTimersByTimeAsync(1_000);
		const asked = (): number => done.filter((what) => what === 'prove amina').length;
		expect(asked()).toBe(1);
		await phone.receive(arriving([stand.codes({}), stand.card({ shop: 'Duka' })]));
		expect(asked()).toBe(1);
		const named = await secretId(new Uint8Array(32).fill(9), createWebCrypto());
		await phone.receive(arriving([stand.card({ epoch: 2, secret: named }), stand.codes({})]));
		expect(app.view.shops[0]?.codes[0]?.secret).toBe(named);
		expect(asked()).toBe(2);
		await phone.receive(arriving([stand.card({ shop: 'Duka la Juma' })]));
		expect(asked()).toBe(2);
	});

	it('[LEAD-1] opens no line where another tab leads', async () => {
		await phoneOf(amina.person);
		vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
		role = 'reader';
		const app = await opened();
		await vi.advanceTimersByTimeAsync(2_000);
		expect(done).toEqual([]);
		expect(app.isReadOnly).toBe(true);
		await app.markSeen();
	});
});
