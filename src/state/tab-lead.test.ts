import { beforeEach, describe, expect, it } from 'vitest';
import {
	createTabLead,
	TAKE_OVER_MS,
	type LeadChannel,
	type Locks,
	type TabLead
} from './tab-lead.ts';

/** One browser: locks, channels and a clock that its tabs share. */
interface Browser {
	readonly locks: Locks;
	channel(): LeadChannel;
	readonly timers: { after(ms: number, work: () => void): () => void };
	pass(ms: number): Promise<void>;
}

interface Tab {
	readonly lead: TabLead;
	show(isVisible: boolean): Promise<void>;
	/** The system stops it: it hears nothing more. */
	freeze(): void;
}

let browser: Browser;
beforeEach(() => {
	browser = createBrowser();
});

async function open(isVisible = true, locks: Locks | undefined = browser.locks): Promise<Tab> {
	let visible = isVisible;
	let isFrozen = false;
	const watchers = new Set<() => void>();
	const channel = browser.channel();
	const lead = createTabLead({
		locks,
		name: 'x',
		isVisible: () => visible,
		onVisibility: (changed) => {
			watchers.add(changed);
			return () => watchers.delete(changed);
		},
		channel: {
			...channel,
			addEventListener: (type, heard) => {
				channel.addEventListener(type, (event) => {
					if (!isFrozen) heard(event);
				});
			}
		},
		timers: browser.timers
	});
	await browser.pass(0);
	return {
		lead,
		freeze: () => {
			isFrozen = true;
		},
		show: async (toBe) => {
			visible = toBe;
			for (const watch of watchers) watch();
			await browser.pass(0);
		}
	};
}

describe('the leading tab', () => {
	it('[LEAD-1] is the first; the next reads until the first closes', async () => {
		const first = await open();
		const second = await open();
		await browser.pass(5 * TAKE_OVER_MS);
		expect([first.lead.role, second.lead.role]).toEqual(['leader', 'reader']);
		const told: string[] = [];
		second.lead.on((role) => told.push(role));
		first.lead.close();
		await browser.pass(0);
		expect(second.lead.role).toBe('leader');
		expect(told).toEqual(['leader']);
	});

	it('[LEAD-2] gives the lead to a visible one after a second, when it is hidden', async () => {
		const first = await open();
		const second = await open();
		await first.show(false);
		await second.show(true);
		await browser.pass(TAKE_OVER_MS - 1);
		expect([first.lead.role, second.lead.role]).toEqual(['leader', 'reader']);
		await browser.pass(1);
		expect([first.lead.role, second.lead.role]).toEqual(['reader', 'leader']);

		await second.show(false);
		await first.show(true);
		await browser.pass(TAKE_OVER_MS);
		expect([first.lead.role, second.lead.role]).toEqual(['leader', 'reader']);
	});

	it('[LEAD-2] is not asked by a tab that nobody sees', async () => {
		const first = await open(false);
		const second = await open(false);
		await browser.pass(9 * TAKE_OVER_MS);
		expect([first.lead.role, second.lead.role]).toEqual(['leader', 'reader']);
	});

	it('[LEAD-3] loses the lead to a visible one when it is frozen, and stands in line again', async () => {
		const first = await open();
		await first.show(false);
		first.freeze();
		const second = await open();
		await browser.pass(TAKE_OVER_MS);
		expect(second.lead.role).toBe('reader');
		await browser.pass(TAKE_OVER_MS);
		expect([first.lead.role, second.lead.role]).toEqual(['reader', 'leader']);
		second.lead.close();
		await browser.pass(0);
		expect(first.lead.role).toBe('leader');
	});

	it('[LEAD-1] is every tab where the browser has no locks', async () => {
		let told = 0;
		const lead = createTabLead({
			locks: undefined,
			name: 'x',
			isVisible: () => true,
			onVisibility: () => () => undefined,
			channel: browser.channel(),
			timers: browser.timers
		});
		lead.on(() => (told += 1));
		await browser.pass(5 * TAKE_OVER_MS);
		expect(lead.role).toBe('leader');
		expect(told).toBe(0);
	});
});

function createBrowser(): Browser {
	const heard = new Set<{
		readonly from: object;
		readonly tell: (event: { data: unknown }) => void;
	}>();
	const timers = new Set<{ readonly at: number; readonly work: () => void }>();
	let now = 0;
	return {
		locks: createLocks(),
		channel: () => {
			const self = {};
			return {
				postMessage: (data) => {
					for (const { from, tell } of [...heard]) if (from !== self) tell({ data });
				},
				addEventListener: (_type, tell) => {
					heard.add({ from: self, tell });
				},
				close: () => {
					for (const one of [...heard]) if (one.from === self) heard.delete(one);
				}
			};
		},
		timers: {
			after: (ms, work) => {
				const timer = { at: now + ms, work };
				timers.add(timer);
				return () => timers.delete(timer);
			}
		},
		pass: async (ms) => {
			const end = now + ms;
			for (;;) {
				await new Promise((resolve) => setTimeout(resolve, 0));
				const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
				if (next === undefined) break;
				timers.delete(next);
				now = next.at;
				next.work();
			}
			now = end;
		}
	};
}

/** The Web Locks of one name, as the standard has them. */
function createLocks(): Locks {
	interface Request {
		readonly held: () => Promise<void>;
		readonly resolve: () => void;
		readonly reject: (why: unknown) => void;
	}
	let holder: Request | undefined;
	const line: Request[] = [];

	function grant(request: Request): void {
		holder = request;
		void request.held().then(() => {
			if (holder !== request) return;
			request.resolve();
			holder = undefined;
			const next = line.shift();
			if (next !== undefined) grant(next);
		});
	}

	return {
		request: (_name, { signal, steal }, held) =>
			new Promise((resolve, reject) => {
				const request = { held, resolve, reject };
				signal?.addEventListener('abort', () => {
					const place = line.indexOf(request);
					if (place === -1) return;
					line.splice(place, 1);
					reject(new DOMException('left the line', 'AbortError'));
				});
				if (steal === true) {
					const robbed = holder;
					grant(request);
					robbed?.reject(new DOMException('stolen', 'AbortError'));
				} else if (holder === undefined) grant(request);
				else line.push(request);
			})
	};
}
