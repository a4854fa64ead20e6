import { parseBranchId, type BranchId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { decodeHave, type Have, type HaveRange } from '#sync/frames.ts';
import type { TicketAnswer } from '#sync/ticket-socket.ts';
import type { ApiRefusal } from './account-api.ts';
import type { FactText } from './arrived-fact.ts';
import { parseCheckpoint, type CheckpointPiece, type NextPage } from './checkpoint.ts';
import type { FeedPlace } from './meta.ts';

/** A fact with its number in the business's feed. */
export interface FeedRow extends FactText {
	readonly s: number;
}

/** What the feed answers: what follows a place, or that the place is of an ended epoch. */
export type FeedAnswer =
	| { readonly kind: 'page'; readonly rows: readonly FeedRow[]; readonly last: number }
	| { readonly kind: 'epochEnded'; readonly epoch: number; readonly survivedTo: number };

/**
 * `unreachable` may work later; `refused` will not, until somebody lets this device in again. `unknown`:
 * it knows no such device, as one that was restored from before it joined.
 */
export type RelayRefusal = 'unreachable' | 'refused' | 'unknown';

/** A relay that is busy, or whose database is away, refuses nobody: only these are about the device. */
export function tokenRefusal(error: ApiRefusal): RelayRefusal {
	if (error === 'deviceRefused') return 'unknown';
	return error === 'deviceRemoved' ? 'refused' : 'unreachable';
}

export interface HaveAnswer {
	readonly epoch: number;
	readonly ranges: Readonly<Record<string, readonly HaveRange[]>>;
}

/** What became of a fact that was handed in. */
export interface CarriedAnswer {
	readonly id: string;
	readonly became: string;
	readonly reason?: string;
}

/** The relay's routes that a device's key opens. */
export interface RelayHttp {
	/** Rejects where the relay is not reached, as the socket expects it. */
	ticket(document: string): Promise<TicketAnswer>;
	feed(after: FeedPlace): Promise<Result<FeedAnswer, RelayRefusal>>;
	/** Rows below `before`, the latest first; none where there is nothing older. */
	history(before: FeedPlace): Promise<Result<readonly FeedRow[], RelayRefusal>>;
	/** A piece of the checkpoint, or all of it in one where none is named. */
	checkpoint(branch: BranchId, piece?: NextPage): Promise<Result<CheckpointPiece, RelayRefusal>>;
	/** Which facts the relay has, by code. */
	have(): Promise<Result<HaveAnswer, RelayRefusal>>;
	/** Which own facts from a number on are in a verified backup; not all of them at once. */
	backedUp(from: number): Promise<Result<Have, RelayRefusal>>;
	/** Hands in facts that the relay forgot; answers for each, in order. */
	carried(facts: readonly FactText[]): Promise<Result<readonly CarriedAnswer[], RelayRefusal>>;
	/** Forgets the token: the next request proves the key again. */
	forgetToken(): void;
	/** Proves the key anew. */
	standing(): Promise<Result<undefined, RelayRefusal>>;
}

export interface RelayHttpParts {
	readonly fetch: typeof globalThis.fetch;
	/** Where the relay is: empty for the page's own origin. */
	readonly base?: string;
	/** Proves the device's key and gets a bearer token of an hour. */
	readonly getToken: () => Promise<Result<{ readonly token: string }, RelayRefusal>>;
	readonly clock: () => number;
}

/** LINK-40. An answer of 1 MB over a line of 20 kB/s comes all along; from a line that is gone nothing does. */
const SILENCE_MS_MAX = 30_000;
/** What a device hands in may be as long on its way up, and a browser tells nobody how far it is. */
const SENT_MS_MAX = 90_000;
/** A token is of an hour; no two clocks need agree on which. */
const TOKEN_MS = 45 * 60_000;

export function createRelayHttp(parts: RelayHttpParts): RelayHttp {
	const ask = createAsk(parts);
	return {
		async ticket(document) {
			return readTicket(await ask('/sync/tickets', { document }));
		},
		async feed({ epoch, s }) {
			const answer = await ask(`/feed?epoch=${String(epoch)}&after=${String(s)}`);
			return answer.ok ? readFeed(answer.value) : answer;
		},
		async history({ epoch, s }) {
			const answer = await ask(`/history?epoch=${String(epoch)}&before=${String(s)}`);
			if (!answer.ok) return answer;
			const feed = readFeed(answer.value);
			if (!feed.ok) return feed;
			return feed.value.kind === 'page' ? ok(feed.value.rows) : err('unreachable');
		},
		async checkpoint(branch, piece) {
			const query = new URLSearchParams({ branch, ...piece });
			const answer = await ask(`/checkpoint?${query.toString()}`);
			if (!answer.ok) return answer;
			const { status, body } = answer.value;
			if (status >= 300) return err(isFinal(status) ? 'refused' : 'unreachable');
			const parsed = parseCheckpoint(body);
			return parsed.ok ? parsed : err('unreachable');
		},
		async have() {
			const answer = await ask('/have');
			return answer.ok ? readHave(answer.value) : answer;
		},
		async backedUp(from) {
			const answer = await ask(`/backed-up?from=${String(from)}`);
			return answer.ok ? readOwnHave(answer.value) : answer;
		},
		async carried(facts) {
			const body = { facts: facts.map(({ branch, text }) => [branch, text]) };
			const answer = await ask('/carried', body, 'gzip');
			return answer.ok ? readCarried(answer.value, facts.length) : answer;
		},
		forgetToken: () => {
			ask.forgetToken();
		},
		standing: async () => {
			const token = await parts.getToken();
			return token.ok ? ok(undefined) : token;
		}
	};
}

interface Answered {
	readonly status: number;
	readonly body: unknown;
}

interface Ask {
	(path: string, body?: object, packing?: 'gzip'): Promise<Result<Answered, RelayRefusal>>;
	forgetToken(): void;
}

/** Asks with the device's token, and once again with a new one where it is not taken. */
function createAsk(parts: RelayHttpParts): Ask {
	let held: { readonly token: string; readonly at: number } | undefined;

	async function tokenOf(): Promise<Result<string, RelayRefusal>> {
		const now = parts.clock();
		if (held !== undefined && Math.abs(now - held.at) < TOKEN_MS) return ok(held.token);
		const fetched = await parts.getToken();
		if (!fetched.ok) return fetched;
		held = { token: fetched.value.token, at: now };
		return ok(held.token);
	}

	async function once(asked: Omit<Sent, 'token'>): Promise<Result<Answered, RelayRefusal>> {
		const token = await tokenOf();
		if (!token.ok) return token;
		const answered = await exchange(parts, { ...asked, token: token.value });
		return answered === undefined ? err('unreachable') : ok(answered);
	}

	const ask = async (
		...[path, body, packing]: Parameters<Ask>
	): Promise<Result<Answered, RelayRefusal>> => {
		const first = await once({ path, body, packing });
		if (!first.ok || first.value.status !== 401) return first;
		held = undefined;
		return once({ path, body, packing });
	};
	return Object.assign(ask, {
		forgetToken: () => {
			held = undefined;
		}
	});
}

interface Sent {
	readonly path: string;
	readonly token: string;
	readonly body: object | undefined;
	/** How the body is packed on its way; what is large is worth it. */
	readonly packing?: 'gzip' | undefined;
}

/** Undefined where nobody answered, or somebody who does not speak JSON. */
async function exchange(
	{ fetch, base = '' }: RelayHttpParts,
	sent: Sent
): Promise<Answered | undefined> {
	const { path, body, packing } = sent;
	const patience = createPatience();
	patience.wait(body === undefined ? SILENCE_MS_MAX : SENT_MS_MAX);
	try {
		const text = body === undefined ? undefined : JSON.stringify(body);
		const response = await fetch(`${base}/api${path}`, {
			method: body === undefined ? 'GET' : 'POST',
			headers: headersOf(sent),
			cache: 'no-store',
			credentials: 'same-origin',
			redirect: 'error',
			signal: patience.signal,
			...(text === undefined ? {} : { body: packing === undefined ? text : await packed(text) })
		});
		const said = await readText(response, () => {
			patience.wait(SILENCE_MS_MAX);
		});
		return { status: response.status, body: said === '' ? undefined : JSON.parse(said) };
	} catch {
		// The network's many ways to fail are all one: later, it may work.
		return undefined;
	} finally {
		patience.end();
	}
}

function headersOf({ token, body, packing }: Sent): Headers {
	const headers = new Headers({ authorization: `Bearer ${token}` });
	if (body !== undefined) headers.set('content-type', 'application/json');
	if (packing !== undefined) headers.set('content-encoding', packing);
	return headers;
}

/** Gives up what is not heard of in time. */
interface Patience {
	readonly signal: AbortSignal;
	/** From now on so many ms. */
	readonly wait: (ms: number) => void;
	readonly end: () => void;
}

function createPatience(): Patience {
	const over = new AbortController();
	let timer: ReturnType<typeof setTimeout> | undefined;
	const end = (): void => {
		clearTimeout(timer);
	};
	return {
		signal: over.signal,
		wait: (ms) => {
			end();
			timer = setTimeout(() => {
				over.abort();
			}, ms);
		},
		end
	};
}

async function readText({ body }: Response, heard: () => void): Promise<string> {
	if (body === null) return '';
	const decoder = new TextDecoder();
	const reader = body.getReader();
	let said = '';
	for (;;) {
		const { done, value } = await reader.read();
		if (done) return said + decoder.decode();
		heard();
		said += decoder.decode(value, { stream: true });
	}
}

function packed(text: string): Promise<ArrayBuffer> {
	const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
	return new Response(stream).arrayBuffer();
}

function readFeed({ status, body }: Answered): Result<FeedAnswer, RelayRefusal> {
	if (!isObject(body)) return err('unreachable');
	if (status === 409) return readEpochEnded(body);
	if (status >= 300) return err(isFinal(status) ? 'refused' : 'unreachable');
	const { rows, last } = body;
	if (!Array.isArray(rows) || !isCount(last)) return err('unreachable');
	const read = (rows as readonly unknown[]).map(readRow);
	return read.every((row) => row !== undefined)
		? ok({ kind: 'page', rows: read, last })
		: err('unreachable');
}

function readTicket(answer: Result<Answered, RelayRefusal>): TicketAnswer {
	if (!answer.ok) {
		if (answer.error !== 'unreachable') return { refused: 'rights' };
		throw new Error('the relay was not reached for a ticket');
	}
	const { status, body } = answer.value;
	if (status < 300 && isObject(body) && typeof body['ticket'] === 'string')
		return { ticket: body['ticket'] };
	if (status === 403) return { refused: 'rights' };
	if (status === 401) return { refused: 'ticket' };
	throw new Error(`the relay gave no ticket: ${String(status)}`);
}

function readHave({ status, body }: Answered): Result<HaveAnswer, RelayRefusal> {
	if (status >= 300) return err(isFinal(status) ? 'refused' : 'unreachable');
	if (!isObject(body) || !isCount(body['epoch']) || !isObject(body['ranges'])) {
		return err('unreachable');
	}
	const { epoch, ranges } = body;
	const read = Object.entries(ranges).map(([code, of]) => {
		const have = decodeHave(JSON.stringify({ epoch, ranges: of }));
		return have === undefined ? undefined : ([code, have.ranges] as const);
	});
	return read.every((entry) => entry !== undefined)
		? ok({ epoch, ranges: Object.fromEntries(read) })
		: err('unreachable');
}

function readOwnHave({ status, body }: Answered): Result<Have, RelayRefusal> {
	if (status >= 300) return err(isFinal(status) ? 'refused' : 'unreachable');
	const have = decodeHave(JSON.stringify(body));
	return have === undefined ? err('unreachable') : ok(have);
}

function readCarried(
	{ status, body }: Answered,
	count: number
): Result<readonly CarriedAnswer[], RelayRefusal> {
	if (status >= 300) return err(isFinal(status) ? 'refused' : 'unreachable');
	const handed = isObject(body) ? body['handed'] : undefined;
	if (!Array.isArray(handed) || handed.length !== count) return err('unreachable');
	const read = (handed as readonly unknown[]).map(readHanded);
	return read.every((one) => one !== undefined) ? ok(read) : err('unreachable');
}

function readHanded(row: unknown): CarriedAnswer | undefined {
	if (!Array.isArray(row)) return undefined;
	const [id, became, reason] = row as readonly unknown[];
	if (typeof id !== 'string' || typeof became !== 'string') return undefined;
	return typeof reason === 'string' ? { id, became, reason } : { id, became };
}

function readEpochEnded({
	epoch,
	survivedTo
}: Readonly<Record<string, unknown>>): Result<FeedAnswer, RelayRefusal> {
	if (!isCount(epoch) || !isCount(survivedTo)) return err('unreachable');
	return ok({ kind: 'epochEnded', epoch, survivedTo });
}

function readRow(row: unknown): FeedRow | undefined {
	if (!Array.isArray(row) || row.length !== 3) return undefined;
	const [s, rawBranch, text] = row as readonly unknown[];
	if (!isCount(s) || typeof text !== 'string') return undefined;
	if (rawBranch === null) return { s, branch: null, text };
	const branch = parseBranchId(rawBranch);
	return branch.ok ? { s, branch: branch.value, text } : undefined;
}

function isFinal(status: number): boolean {
	return status === 401 || status === 403;
}

function isCount(value: unknown): value is number {
	return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
