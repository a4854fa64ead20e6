import { randomUUID } from 'node:crypto';
import postgres, { type Sql } from 'postgres';
import { socketFolder } from '#server/database/connect.ts';
import { AGAIN_MS_MIN, againAfterMs, pingEveryMs, SILENCE_MS_MAX } from './again.ts';
import type { Bus, TellBusEvent } from './bus.ts';
import { createBusState, createListeners } from './listeners.ts';
import { createOutgoing } from './outgoing.ts';
import { decodeNews, encodeNews } from './wire.ts';

const CHANNEL = 'daftar_news';
const CONNECT_TIMEOUT_S = 5;
const CLOSE_TIMEOUT_S = 1;

/**
 * LISTEN and NOTIFY on one connection of its own: a NOTIFY inside the transaction that writes would
 * make all writers wait for one lock of the whole server.
 */
export function createPostgresBus(
	url: string,
	told: TellBusEvent,
	silenceMs = SILENCE_MS_MAX
): Bus {
	const own = randomUUID();
	const listeners = createListeners();
	const state = createBusState(told);
	const line: Line = createLine(url, {
		silenceMs,
		state,
		heard: (message) => {
			listeners.tell(decodeNews(own, message));
		}
	});
	const outgoing = createOutgoing({
		send: async (batch) => {
			// While nobody is heard either, a statement would only wait for the connection.
			if (!line.isListening()) return;
			// As JSON: the driver knows arrays by asking for types, which this connection does not.
			const messages = JSON.stringify(encodeNews(own, batch));
			await line.sql`
				select pg_notify(${CHANNEL}, message)
				from json_array_elements_text(${messages}::text::json) as given (message)`;
			// What was refused before, on a line that stayed.
			if (line.isListening()) state({ kind: 'up' });
		},
		failed: (fault) => {
			state({ kind: 'down', fault });
		}
	});
	return {
		publish: outgoing.add,
		subscribe: listeners.subscribe,
		close: async () => {
			await line.close();
			await outgoing.close();
		}
	};
}

interface Line {
	readonly sql: Sql;
	readonly isListening: () => boolean;
	readonly close: () => Promise<void>;
}

interface LineParts {
	/** BUS-7. */
	readonly silenceMs: number;
	readonly state: TellBusEvent;
	readonly heard: (message: string) => void;
}

/** A connection that listens, and listens again on the next one when it is cut. */
function createLine(url: string, { silenceMs, state, heard }: LineParts): Line {
	let isClosed = false;
	let isListening = false;
	let timer: NodeJS.Timeout | undefined;
	const sql = connect(url, {
		silence: silenceMs,
		onnotify: (_channel: string, message: string) => {
			heard(message);
		},
		onclose: () => {
			// One that was never up is told of by the try that failed.
			if (!isListening || isClosed) return;
			isListening = false;
			state({ kind: 'down', fault: new Error('the connection of the bus was closed') });
			void listen(0);
		}
	});
	async function listen(attempt: number): Promise<void> {
		try {
			await sql.unsafe(`listen ${CHANNEL}`);
			isListening = true;
			state({ kind: 'up' });
		} catch (fault) {
			if (isClosed) return;
			state({ kind: 'down', fault });
			timer = setTimeout(() => void listen(attempt + 1), againAfterMs(attempt));
		}
	}
	// Who only listens is told of no fault: it has to ask.
	const asking = setInterval(() => {
		// What became of a line that is lost is said by `onclose`.
		if (isListening) sql.unsafe('select 1').catch(() => undefined);
	}, pingEveryMs(silenceMs));
	void listen(0);
	return {
		sql,
		isListening: () => isListening,
		close: async () => {
			isClosed = true;
			clearTimeout(timer);
			clearInterval(asking);
			await sql.end({ timeout: CLOSE_TIMEOUT_S });
		}
	};
}

interface ConnectionParts {
	readonly silence: number;
	readonly onnotify: (channel: string, message: string) => void;
	readonly onclose: () => void;
}

function connect(url: string, parts: ConnectionParts): Sql {
	const folder = socketFolder(url);
	// The driver takes `onnotify`, and as mended `silence`; its types name neither.
	const options = {
		max: 1,
		// What is not heard is lost: the connection stays as long as it can.
		idle_timeout: 0,
		max_lifetime: null,
		connect_timeout: CONNECT_TIMEOUT_S,
		backoff: () => AGAIN_MS_MIN / 1_000,
		fetch_types: false,
		onnotice: () => undefined,
		connection: { application_name: 'daftar bus' },
		...(folder === undefined ? {} : { host: folder }),
		...parts
	};
	return postgres(url, options);
}
