import * as Y from 'yjs';
import { createHash } from 'node:crypto';
import { parseDocumentName, utcDay } from '#documents/document-name.ts';
import { observeFacts, readFacts } from '#documents/facts.ts';
import { idAtStart } from '#domain/fact/issued-again.ts';
import type { BranchId } from '#domain/ids.ts';
import { parseFactId } from '#domain/ids.ts';
import { ok } from '#domain/result.ts';
import { CLOSE } from '#sync/close-code.ts';
import { HAVE_RANGE_LENGTH } from '#sync/limits.ts';
import type { HaveRange } from '#sync/frames.ts';
import type { CreateProvider, ProviderEvents } from '#state/relay-provider.ts';
import type { FeedRow, RelayHttp } from '#state/relay-http.ts';
import type { Checkpoint } from '#state/checkpoint.ts';

/** A relay in memory: documents, a feed in commit order, have ranges. It speaks as the real one does. */
export interface FakeRelay {
	readonly feed: FeedRow[];
	/** What the device of `code` is told; `isUp` false looks like no network. */
	line(code: string): { readonly createProvider: CreateProvider; readonly http: RelayHttp };
	isUp: boolean;
	epoch: number;
	now: number;
	/** How many of the next updates get lost on their way here. */
	losing: number;
	/** Whether every line says that it is still sending. */
	isSending: boolean;
	/** How many lines were opened so far. */
	opened: number;
	/** Facts that are refused, by id. */
	readonly refused: Map<string, string>;
	/** Facts whose whole update is refused without naming them: closed, or answered with `fault` for all. */
	readonly unnamed: Map<string, 'close' | 'fault'>;
	/** Whether every device's access has ended. */
	isRemoved: boolean;
	/** Whether it knows no device, as one that is not restored yet. */
	isEmpty: boolean;
	checkpoint: Checkpoint | undefined;
	/** Up to which number of the feed a verified backup holds it. */
	backup: number | undefined;
	/** Forgets all but the first `s` facts, as a restored backup does. */
	restore(s: number): void;
	/** Who else has to have nothing in hand before `quiet` resolves. */
	attend(isBusy: () => boolean): void;
	/** Resolves when nothing more is on its way. */
	quiet(): Promise<void>;
}

const DAY_MS = 86_400_000;

interface Socket {
	readonly code: string;
	readonly events: ProviderEvents;
	/** Takes it off the line; undefined while it is not on it. */
	end: (() => void) | undefined;
}

/** `now` is its clock, ms; without one it minds no day. */
export function createFakeRelay(now = 0): FakeRelay {
	const docs = new Map<string, Y.Doc>();
	const sockets = new Set<Socket>();
	let busy = 0;
	let isUp = true;
	const attended: (() => boolean)[] = [() => busy > 0];
	const isAnyBusy = (): boolean => attended.some((isBusy) => isBusy());

	/** Every message takes a turn of the loop. */
	function soon(work: () => void): void {
		busy += 1;
		setTimeout(() => {
			busy -= 1;
			work();
		}, 0);
	}

	function docOf(name: string): Y.Doc {
		const known = docs.get(name);
		if (known !== undefined) return known;
		const doc = new Y.Doc();
		docs.set(name, doc);
		const address = parseDocumentName(name);
		const branch: BranchId | null =
			address.ok && 'branch' in address.value ? address.value.branch : null;
		observeFacts(doc, (facts) => {
			const touched = new Set<string>();
			for (const { id, text } of facts) {
				if (relay.feed.some((row) => idOf(row) === id)) continue;
				relay.feed.push({ s: relay.feed.length + 1, branch, text });
				touched.add(codeOf(id));
			}
			soon(() => {
				for (const socket of sockets) {
					if (touched.has(socket.code))
						socket.events.have({ epoch: relay.epoch, ranges: rangesOf(socket.code) });
					socket.events.feed({ s: relay.feed.length });
				}
			});
		});
		return doc;
	}

	function rangesOf(code: string, upTo = Infinity): HaveRange[] {
		const own = relay.feed
			.filter(({ s }) => s <= upTo)
			.map((row) => ({ id: parseFactId(idOf(row)), text: row.text }))
			.flatMap(({ id, text }) => (id.ok && id.value.code === code ? [{ n: id.value.n, text }] : []))
			.toSorted((a, b) => a.n - b.n);
		const ranges: { from: number; to: number; xor: bigint }[] = [];
		for (const { n, text } of own) {
			const last = ranges.at(-1);
			const digest = BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 16)}`);
			if (last?.to === n - 1 && n % HAVE_RANGE_LENGTH !== 0) {
				last.to = n;
				last.xor ^= digest;
			} else ranges.push({ from: n, to: n, xor: digest });
		}
		return ranges.map(({ from, to, xor }) => [from, to, xor.toString(16).padStart(16, '0')]);
	}

	/** A relay that was given no time minds no day. */
	function isBeyondTomorrow(name: string): boolean {
		const address = parseDocumentName(name);
		if (relay.now === 0 || !address.ok || !('day' in address.value)) return false;
		return address.value.day > utcDay(relay.now + DAY_MS);
	}

	const createProvider =
		(code: string): CreateProvider =>
		(name, doc, events) => {
			const socket: Socket = { code, events, end: undefined };
			const hear = (update: Uint8Array): void => {
				const relayDoc = docOf(name);
				const probe = new Y.Doc();
				Y.applyUpdate(probe, Y.encodeStateAsUpdate(relayDoc));
				Y.applyUpdate(probe, update);
				const facts = readFacts(probe);
				const bad = facts.filter(({ id }) => relay.refused.has(id));
				const known = new Set(readFacts(relayDoc).map(({ id }) => id));
				const told = facts.filter(({ id }) => !known.has(id));
				const [suspect] = told.flatMap(({ id }) => relay.unnamed.get(id) ?? []);
				if (suspect === 'close') {
					socket.end?.();
					events.closed(CLOSE.forgery);
				} else if (suspect === 'fault')
					events.nack({ refused: told.map(({ id }) => [id, 'fault']) });
				else if (facts.length > 0 && isBeyondTomorrow(name))
					events.nack({ refused: facts.map(({ id }) => [id, 'beyondTomorrow']) });
				else if (bad.length === 0) Y.applyUpdate(relayDoc, update, socket);
				else events.nack({ refused: bad.map(({ id }) => [id, relay.refused.get(id) ?? '']) });
			};
			const open = (): void => {
				if (!isUp) {
					events.closed(1006);
					return;
				}
				const relayDoc = docOf(name);
				// What is on its way when the socket ends is lost.
				const up = (update: Uint8Array, origin: unknown): void => {
					if (origin === relay) return;
					soon(() => {
						if (socket.end !== end) return;
						if (relay.losing > 0) relay.losing -= 1;
						else hear(update);
					});
				};
				const down = (update: Uint8Array, origin: unknown): void => {
					if (origin === socket) return;
					soon(() => {
						if (socket.end === end) Y.applyUpdate(doc, update, relay);
					});
				};
				const end = (): void => {
					socket.end = undefined;
					sockets.delete(socket);
					doc.off('update', up);
					relayDoc.off('update', down);
				};
				relay.opened += 1;
				socket.end = end;
				sockets.add(socket);
				doc.on('update', up);
				relayDoc.on('update', down);
				const { epoch, now, backup } = relay;
				const marks = backup === undefined ? {} : { backup };
				events.hello({ epoch, kinds: [], now, limits: {}, s: relay.feed.length, ...marks });
				events.have({ epoch, ranges: rangesOf(code) });
				Y.applyUpdate(doc, Y.encodeStateAsUpdate(relayDoc), relay);
				hear(Y.encodeStateAsUpdate(doc, Y.encodeStateVector(relayDoc)));
				events.synced();
			};
			let isClosed = false;
			return {
				connect: () => {
					soon(() => {
						if (!isClosed && socket.end === undefined) open();
					});
				},
				isSending: () => relay.isSending,
				close: () => {
					isClosed = true;
					socket.end?.();
				}
			};
		};

	function cutAll(): void {
		for (const socket of [...sockets]) {
			socket.end?.();
			socket.events.closed(1006);
		}
	}

	const httpOf = (code: string): RelayHttp => ({
		ticket: () => Promise.resolve({ ticket: 'fake' }),
		feed: ({ epoch, s }) => {
			if (!isUp) return Promise.resolve({ ok: false, error: 'unreachable' });
			if (epoch !== relay.epoch)
				return Promise.resolve(
					ok({ kind: 'epochEnded', epoch: relay.epoch, survivedTo: relay.feed.length })
				);
			const rows = relay.feed.slice(s, s + 50);
			return Promise.resolve(ok({ kind: 'page', rows, last: relay.feed.length }));
		},
		history: ({ s }) =>
			Promise.resolve(
				ok(
					relay.feed
						.filter((row) => row.s < s)
						.toReversed()
						.slice(0, 50)
				)
			),
		checkpoint: () =>
			Promise.resolve(
				relay.checkpoint === undefined ? { ok: false, error: 'unreachable' } : ok(relay.checkpoint)
			),
		have: () => {
			if (!isUp) return Promise.resolve({ ok: false, error: 'unreachable' });
			const codes = relay.feed.map((row) => idOf(row).split('-')[0] ?? '');
			const ranges = Object.fromEntries(codes.map((code) => [code, rangesOf(code)]));
			return Promise.resolve(ok({ epoch: relay.epoch, ranges }));
		},
		backedUp: (from) => {
			if (!isUp) return Promise.resolve({ ok: false, error: 'unreachable' });
			const ranges = rangesOf(code, relay.backup ?? 0).filter(([first]) => first >= from);
			return Promise.resolve(ok({ epoch: relay.epoch, ranges: ranges.slice(0, 2) }));
		},
		carried: (facts) => {
			if (!isUp) return Promise.resolve({ ok: false, error: 'unreachable' });
			const known = new Set(relay.feed.map(idOf));
			const handed = facts.map((fact) => {
				const row = { ...fact, s: relay.feed.length + 1 };
				const id = idOf(row);
				if (known.has(id)) return { id, became: 'known' };
				relay.feed.push(row);
				return { id, became: 'kept' };
			});
			return Promise.resolve(ok(handed));
		},
		forgetToken: () => undefined,
		standing: () => {
			if (relay.isEmpty) return Promise.resolve({ ok: false, error: 'unknown' });
			return Promise.resolve(relay.isRemoved ? { ok: false, error: 'refused' } : ok(undefined));
		}
	});

	const relay: FakeRelay = {
		feed: [],
		line: (code) => ({ createProvider: createProvider(code), http: httpOf(code) }),
		get isUp() {
			return isUp;
		},
		set isUp(toBe) {
			isUp = toBe;
			if (!toBe) cutAll();
		},
		epoch: 1,
		now,
		losing: 0,
		isSending: false,
		opened: 0,
		refused: new Map(),
		unnamed: new Map(),
		isRemoved: false,
		isEmpty: false,
		checkpoint: undefined,
		backup: undefined,
		restore: (s) => {
			relay.backup = undefined;
			relay.feed.splice(s);
			relay.epoch += 1;
			docs.clear();
			cutAll();
		},
		attend: (isBusy) => {
			attended.push(isBusy);
		},
		quiet: async () => {
			for (let idle = 0; idle < 5; idle = isAnyBusy() ? 0 : idle + 1) {
				await new Promise((resolve) => setTimeout(resolve, 2));
			}
		}
	};
	return relay;
}

function idOf({ text }: FeedRow): string {
	return idAtStart(text) ?? /^\["([^"]+)"/.exec(text)?.[1] ?? '';
}

function codeOf(id: string): string {
	return id.slice(0, id.lastIndexOf('-'));
}
