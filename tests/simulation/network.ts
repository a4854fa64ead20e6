import type { RelaySocket } from '#server/relay/relay-socket.ts';
import type { Chance } from './chance.ts';
import type { SimTime } from './time.ts';
import type { Trace } from './trace.ts';

/** Where the network leads: a relay that runs, or nothing while none does. */
export interface Far {
	readonly accept: (
		socket: RelaySocket,
		asked: { readonly document: string; readonly ticket: string }
	) => Promise<void>;
	readonly answer: (request: Request) => Promise<Response>;
}

/** The line of one machine to the relay, with its faults. */
export interface Line {
	readonly name: string;
	/** Whether anything gets through. */
	isUp: boolean;
	/** How long a message takes, ms. */
	latency: { readonly least: number; readonly most: number };
	/** In how many of a hundred requests: never arrives; its answer never comes; comes twice. */
	faults: { lost: number; unanswered: number; twice: number; cut: number };
	/** Ends every open socket, or those to one relay; `silent` ones learn of it by nothing but silence. */
	readonly cut: (how: 'told' | 'silent', to?: Far) => void;
	readonly connector: (owner: Owner) => {
		readonly WebSocket: typeof WebSocket;
		readonly fetch: typeof globalThis.fetch;
	};
	/** Every message to this machine, whole. */
	heard: (bytes: Uint8Array | string) => void;
}

/** A process: what it waits for never comes once it is dead. */
export interface Owner {
	readonly isDead: () => boolean;
}

export interface Network {
	/** Where the next socket or request comes out. With several relays each comes out at one of them. */
	readonly far: () => Far | undefined;
	/** A relay serves, at its place among those of the database. */
	readonly serve: (place: number, far: Far) => void;
	/** A relay's machine is gone: every socket to it ends. */
	readonly drop: (place: number, far: Far) => void;
	readonly createLine: (name: string) => Line;
}

export interface NetworkParts {
	readonly time: SimTime;
	readonly chance: Chance;
	readonly trace: Trace;
	readonly count: (name: string) => void;
	/** How many relays there are. */
	readonly places: number;
}

const CLOSE_LOST = 1006;
const UNREACHED_MS = 3_000;
const TOLD_MS_MAX = 2_000;
/** How often one who comes to a relay that is gone is sent on to one that is there. */
const SENT_ON_PERCENT = 80;
const ORIGIN = 'http://relay.test';

export function createNetwork(parts: NetworkParts): Network {
	const lines: LineState[] = [];
	const fars = new Map<number, Far>();
	const dice = parts.chance.apart('balancer');
	const network: Network = {
		far: () => {
			if (parts.places === 1) return fars.get(0);
			const drawn = fars.get(dice.below(parts.places));
			if (drawn !== undefined || !dice.percent(SENT_ON_PERCENT)) return drawn;
			return fars.values().next().value;
		},
		serve: (place, far) => {
			fars.set(place, far);
		},
		drop: (place, far) => {
			fars.delete(place);
			for (const { line } of lines) line.cut(parts.chance.percent(30) ? 'silent' : 'told', far);
		},
		createLine: (name) => {
			const line = createLineOf(parts, network, name);
			lines.push(line);
			return line.line;
		}
	};
	return network;
}

interface LineState {
	readonly line: Line;
	readonly wires: Set<Wire>;
}

function createLineOf(parts: NetworkParts, network: Network, name: string): LineState {
	const wires = new Set<Wire>();
	const line: Line = {
		name,
		isUp: true,
		latency: { least: 1, most: 30 },
		faults: { lost: 0, unanswered: 0, twice: 0, cut: 0 },
		heard: () => undefined,
		cut: (how, to) => {
			for (const wire of wires) {
				if (to !== undefined && wire.far !== to) continue;
				parts.count(`socket cut, ${how}`);
				wire.cut(how);
			}
		},
		connector: (owner) => ({
			WebSocket: socketsOf({ ...parts, network, line, wires, owner }),
			fetch: fetchOf({ ...parts, network, line, wires, owner })
		})
	};
	return { line, wires };
}

interface Ends extends NetworkParts {
	readonly network: Network;
	readonly line: Line;
	readonly wires: Set<Wire>;
	readonly owner: Owner;
}

function delayOf({ chance, line }: Pick<Ends, 'chance' | 'line'>): number {
	return chance.between(line.latency.least, line.latency.most);
}

interface Wire {
	/** Where it comes out. */
	readonly far: Far | undefined;
	cut(how: 'told' | 'silent'): void;
}

type Handler<Event> = ((event: Event) => void) | null;

/** One socket, both of its ends. Each way keeps its order; what is under way when it is cut is lost. */
class SimSocket implements Wire {
	readonly OPEN = 1;
	binaryType: BinaryType = 'arraybuffer';
	bufferedAmount = 0;
	readyState = 0;
	onopen: Handler<unknown> = null;
	onmessage: Handler<{ readonly data: unknown }> = null;
	onerror: Handler<unknown> = null;
	onclose: Handler<{ readonly code: number; readonly reason: string }> = null;
	far: Far | undefined;
	readonly #ends: Ends;
	readonly #server: ServerSocket;
	#upAt = 0;
	#downAt = 0;
	/** Nothing crosses any more. */
	#isCut = false;

	constructor(ends: Ends, address: string) {
		this.#ends = ends;
		this.#server = new ServerSocket(this);
		const { time, network, line, wires } = ends;
		const url = new URL(address);
		const document = decodeURIComponent(url.pathname.slice('/sync/'.length));
		const asked = { document, ticket: url.searchParams.get('ticket') ?? '' };
		time.after(delayOf(ends), () => {
			const far = line.isUp ? network.far() : undefined;
			if (far === undefined) {
				time.after(UNREACHED_MS, () => {
					this.end(CLOSE_LOST, 'unreached');
				});
				return;
			}
			this.far = far;
			wires.add(this);
			far.accept(this.#server, asked).then(
				() => undefined,
				() => {
					this.end(CLOSE_LOST, 'no answer');
				}
			);
		});
	}

	/** To the client, in order. */
	down(act: () => void): void {
		const { time } = this.#ends;
		this.#downAt = Math.max(this.#downAt, time.now() + delayOf(this.#ends));
		time.after(this.#downAt - time.now(), () => {
			if (!this.#isCut) act();
		});
	}

	/** To the relay, in order. */
	up(act: () => void): void {
		const { time } = this.#ends;
		this.#upAt = Math.max(this.#upAt, time.now() + delayOf(this.#ends));
		time.after(this.#upAt - time.now(), () => {
			if (!this.#isCut) act();
		});
	}

	opened(): void {
		if (this.readyState !== 0 || this.#ends.owner.isDead()) return;
		this.readyState = 1;
		this.onopen?.({});
	}

	take(bytes: Uint8Array): void {
		const { owner, line, trace, time } = this.#ends;
		if (this.readyState !== 1 || owner.isDead()) return;
		trace.note('down', time.now(), line.name, bytes.byteLength, bytes[0] ?? -1);
		line.heard(bytes);
		this.onmessage?.({ data: bytes.slice().buffer });
	}

	/** The client's end is over. */
	end(code: number, reason: string): void {
		if (this.readyState === 3) return;
		this.readyState = 3;
		this.#ends.wires.delete(this);
		if (this.#ends.owner.isDead()) return;
		this.#ends.trace.note('closed', this.#ends.time.now(), this.#ends.line.name, code);
		this.onclose?.({ code, reason });
	}

	send(data: Uint8Array): void {
		if (this.readyState !== 1 || this.#ends.owner.isDead()) return;
		const { line, trace, time, chance } = this.#ends;
		const bytes = Uint8Array.from(data);
		trace.note('up', time.now(), line.name, bytes.byteLength, bytes[0] ?? -1);
		if (chance.percent(line.faults.cut)) {
			line.cut(chance.percent(50) ? 'told' : 'silent');
			return;
		}
		this.up(() => {
			this.#server.hear(bytes);
		});
	}

	pong(): void {
		if (this.readyState !== 1 || this.#ends.owner.isDead()) return;
		this.up(() => {
			this.#server.ponged();
		});
	}

	close(code = 1000, reason = ''): void {
		if (this.readyState === 3) return;
		// What was sent before it still arrives.
		this.up(() => {
			this.#server.gone();
		});
		this.end(code, reason);
	}

	cut(how: 'told' | 'silent'): void {
		this.#isCut = true;
		this.#ends.wires.delete(this);
		const { time, chance } = this.#ends;
		this.#server.lost();
		if (how === 'silent') return;
		time.after(chance.below(TOLD_MS_MAX), () => {
			this.end(CLOSE_LOST, 'cut');
		});
		time.after(chance.below(TOLD_MS_MAX), () => {
			this.#server.gone();
		});
	}
}

/** The relay's end of a socket, as the relay uses one. */
class ServerSocket implements RelaySocket {
	readonly OPEN = 1;
	bufferedAmount = 0;
	readyState = 1;
	readonly #client: SimSocket;
	readonly #heard: (readonly [event: string, heard: (...args: never[]) => void])[] = [];
	readonly #unsent = new Set<(fault?: Error) => void>();
	#isGreeted = false;

	constructor(client: SimSocket) {
		this.#client = client;
	}

	on(event: string, heard: (...args: never[]) => void): void {
		this.#heard.push([event, heard]);
		// Whoever listens has taken the socket: the way is open.
		this.#greet();
	}

	#greet(): void {
		if (this.#isGreeted) return;
		this.#isGreeted = true;
		this.#client.down(() => {
			this.#client.opened();
		});
	}

	#call(event: string, ...args: unknown[]): void {
		for (const [of, heard] of this.#heard) if (of === event) heard(...(args as never[]));
	}

	send(frame: Uint8Array, sent?: (fault?: Error) => void): void {
		if (this.readyState !== 1) {
			sent?.(new Error('the socket is closed'));
			return;
		}
		this.#greet();
		const bytes = Uint8Array.from(frame);
		this.bufferedAmount += bytes.byteLength;
		if (sent !== undefined) this.#unsent.add(sent);
		this.#client.down(() => {
			this.bufferedAmount -= bytes.byteLength;
			if (sent !== undefined && this.#unsent.delete(sent)) sent();
			this.#client.take(bytes);
		});
	}

	ping(): void {
		this.#client.down(() => {
			this.#client.pong();
		});
	}

	close(code: number, reason: string): void {
		if (this.readyState !== 1) return;
		this.#greet();
		this.readyState = 2;
		this.#client.down(() => {
			this.#client.end(code, reason);
		});
		this.#client.up(() => {
			this.gone();
		});
	}

	terminate(): void {
		this.#client.cut('told');
		this.gone();
	}

	hear(bytes: Uint8Array): void {
		if (this.readyState === 1) this.#call('message', Buffer.from(bytes), true);
	}

	ponged(): void {
		this.#call('pong');
	}

	/** What was being sent never left. */
	lost(): void {
		for (const sent of [...this.#unsent]) sent(new Error('the line broke'));
		this.#unsent.clear();
	}

	gone(): void {
		if (this.readyState === 3) return;
		this.readyState = 3;
		this.lost();
		this.#call('close');
	}
}

function socketsOf(ends: Ends): typeof WebSocket {
	function open(address: string | URL): SimSocket {
		return new SimSocket(ends, String(address));
	}
	// A function that returns an object is a constructor; nobody uses more of it than `new`.
	return open as unknown as typeof WebSocket;
}

/** Requests of one process, each on its own way there and back. */
function fetchOf(ends: Ends): typeof globalThis.fetch {
	const { time, chance, network, line, trace, owner } = ends;
	return (input, init) =>
		new Promise((resolve, reject) => {
			const request = requestOf(input, init);
			const fail = (): void => {
				if (!owner.isDead()) reject(new TypeError('the simulated network failed'));
			};
			const { signal } = init ?? {};
			signal?.addEventListener('abort', fail);
			const ask = async (isHeard: boolean): Promise<void> => {
				const far = line.isUp ? network.far() : undefined;
				if (far === undefined) {
					time.after(UNREACHED_MS, fail);
					return;
				}
				trace.note('http', time.now(), line.name, new URL(request.url).pathname);
				const answered = await far.answer(isTwice ? request.clone() : request);
				const text = await answered.text();
				if (!isHeard) return;
				time.after(delayOf(ends), () => {
					if (owner.isDead()) return;
					line.heard(text);
					const { status, headers } = answered;
					const isEmpty = text === '';
					resolve(new Response(isEmpty ? null : text, { status, headers }));
				});
			};
			const { lost, unanswered, twice } = line.faults;
			const fate = chance.below(100);
			const isLost = fate < lost;
			const isUnanswered = !isLost && fate < lost + unanswered;
			if (isLost) ends.count('request lost');
			if (isUnanswered) ends.count('answer lost');
			if (isLost || isUnanswered) time.after(chance.between(10, 10_000), fail);
			if (isLost) return;
			const delay = delayOf(ends);
			const isTwice = chance.percent(twice);
			time.after(delay, () => {
				ask(!isUnanswered).catch(fail);
			});
			if (!isTwice) return;
			ends.count('request twice');
			time.after(delayOf(ends) + chance.below(500), () => {
				ask(false).catch(() => undefined);
			});
		});
}

function requestOf(input: Parameters<typeof fetch>[0], init?: RequestInit): Request {
	const address = input instanceof Request ? input.url : String(input);
	const headers = new Headers(init?.headers);
	headers.set('origin', ORIGIN);
	headers.set('host', new URL(ORIGIN).host);
	const { method = 'GET', body } = init ?? {};
	return new Request(address, {
		method,
		headers,
		...(body === undefined || body === null ? {} : { body })
	});
}

export { ORIGIN as RELAY_ORIGIN };
