/** Whether this tab may write. Of all tabs of one origin, one may. */
export type TabRole = 'leader' | 'reader';

export interface TabLead {
	readonly role: TabRole;
	/** Calls on every change of `role`. Returns the way to stop. */
	on(told: (role: TabRole) => void): () => void;
	/** Gives the lead up, and does not ask for it again. */
	close(): void;
}

/** As much of `navigator.locks` as leading needs. */
export interface Locks {
	request(
		name: string,
		options: { readonly signal?: AbortSignal; readonly steal?: boolean },
		held: () => Promise<void>
	): Promise<void>;
}

export interface TabLeadParts {
	/** Undefined where the browser has none: then every tab is the only one it knows. */
	readonly locks: Locks | undefined;
	/** What is led: one business, one name. */
	readonly name: string;
	readonly isVisible: () => boolean;
	/** Calls when this tab is shown or hidden. Returns the way to stop. */
	readonly onVisibility: (changed: () => void) => () => void;
	/** Tells the other tabs, and hears them. */
	readonly channel: LeadChannel;
	readonly timers: { after(ms: number, work: () => void): () => void };
}

/** As much of a `BroadcastChannel` as leading needs. */
export interface LeadChannel {
	postMessage(message: unknown): void;
	addEventListener(type: 'message', heard: (event: { readonly data: unknown }) => void): void;
	close(): void;
}

/** A visible tab waits this long before it takes the lead from a hidden one. */
export const TAKE_OVER_MS = 1_000;

const ASK = 'lead?';
const KEPT = 'lead!';

/**
 * Leads where no other tab does, and waits in line where one does. A visible tab that had to wait a
 * second asks for the lead: a hidden leader gives it up and stands in line again, a visible one says
 * that it keeps it. From one that says nothing for another second, frozen by the system, it is taken.
 */
export function createTabLead(parts: TabLeadParts): TabLead {
	const listeners = new Set<(role: TabRole) => void>();
	const lead: Lead = {
		parts,
		role: 'reader',
		isClosed: false,
		give: undefined,
		cancel: undefined,
		leaveLine: undefined,
		say: (role) => {
			if (lead.role === role) return;
			lead.role = role;
			for (const listener of [...listeners]) listener(role);
		}
	};
	const stopSeeing = parts.onVisibility(() => {
		askWhenWaiting(lead);
	});
	parts.channel.addEventListener('message', ({ data }) => {
		hear(lead, data);
	});
	standInLine(lead);

	return {
		get role() {
			return lead.role;
		},
		on: (told) => {
			listeners.add(told);
			return () => {
				listeners.delete(told);
			};
		},
		close: () => {
			lead.isClosed = true;
			listeners.clear();
			stopSeeing();
			lead.cancel?.();
			lead.leaveLine?.();
			lead.give?.();
			parts.channel.close();
		}
	};
}

interface Lead {
	readonly parts: TabLeadParts;
	role: TabRole;
	isClosed: boolean;
	/** Lets the lock go; undefined while it is not held. */
	give: (() => void) | undefined;
	/** Takes back the question or the taking that waits for its second. */
	cancel: (() => void) | undefined;
	leaveLine: (() => void) | undefined;
	readonly say: (role: TabRole) => void;
}

function hear(lead: Lead, message: unknown): void {
	if (message === KEPT) {
		lead.cancel?.();
		lead.cancel = undefined;
	}
	if (message !== ASK || lead.role !== 'leader') return;
	if (lead.parts.isVisible()) lead.parts.channel.postMessage(KEPT);
	else lead.give?.();
}

function standInLine(lead: Lead): void {
	if (lead.parts.locks === undefined) {
		lead.say('leader');
		return;
	}
	const line = new AbortController();
	lead.leaveLine = () => {
		line.abort();
	};
	hold(lead, { signal: line.signal });
	askWhenWaiting(lead);
}

/** Asks for the lock; leads while it is held, and stands in line again when it was given or taken. */
function hold(
	lead: Lead,
	options: { readonly signal?: AbortSignal; readonly steal?: boolean }
): void {
	const { locks, name } = lead.parts;
	const held = (): Promise<void> => {
		lead.cancel?.();
		lead.cancel = undefined;
		lead.say('leader');
		return new Promise((resolve) => {
			lead.give = resolve;
		});
	};
	const ended = (): void => {
		// A place in the line that was left says nothing of the lead, which may be held by now.
		if (options.signal?.aborted === true) return;
		lead.give = undefined;
		lead.say('reader');
		if (!lead.isClosed) standInLine(lead);
	};
	locks?.request(`daftar-lead-${name}`, options, held).then(ended, ended);
}

function askWhenWaiting(lead: Lead): void {
	const { parts } = lead;
	lead.cancel?.();
	lead.cancel = undefined;
	const isWaiting = (): boolean => !lead.isClosed && lead.role === 'reader' && parts.isVisible();
	if (!isWaiting()) return;
	lead.cancel = parts.timers.after(TAKE_OVER_MS, () => {
		if (!isWaiting()) return;
		lead.cancel = parts.timers.after(TAKE_OVER_MS, () => {
			if (!isWaiting()) return;
			lead.leaveLine?.();
			hold(lead, { steal: true });
		});
		parts.channel.postMessage(ASK);
	});
}
