import { describe, expect, it } from 'vitest';
import { CLOSE } from './close-code.ts';
import { createTicketSocket, OPENING_MS_MAX, type TicketAnswer } from './ticket-socket.ts';

/** As much of a platform's socket as is looked at. */
class PlatformSocket {
	static readonly opened: PlatformSocket[] = [];
	readonly sent: unknown[] = [];
	binaryType = '';
	readyState = 0;
	onopen?: (event: unknown) => void;
	onmessage?: (event: unknown) => void;
	onclose?: (event: { code: number; reason: string }) => void;
	readonly url: string;

	constructor(url: string) {
		this.url = url;
		PlatformSocket.opened.push(this);
	}

	send(bytes: unknown): void {
		this.sent.push(bytes);
	}

	close(code: number, reason: string): void {
		this.readyState = 3;
		this.onclose?.({ code, reason });
	}
}

const ADDRESS = 'wss://shop.example/sync/j/business/branch/20261120';

interface Timer {
	readonly ms: number;
	readonly work: () => void;
}

function open(getTicket: (document: string) => Promise<TicketAnswer>): {
	readonly socket: WebSocket;
	readonly said: string[];
	/** What waits for its time. */
	readonly timers: Set<Timer>;
} {
	PlatformSocket.opened.length = 0;
	const timers = new Set<Timer>();
	const Socket = createTicketSocket({
		getTicket,
		timers: {
			after(ms, work) {
				const timer = { ms, work };
				timers.add(timer);
				return () => timers.delete(timer);
			}
		},
		WebSocket: PlatformSocket as unknown as typeof WebSocket
	});
	const socket = new Socket(ADDRESS);
	const said: string[] = [];
	socket.onopen = () => said.push('open');
	socket.onmessage = ({ data }) => said.push(`message ${String(data)}`);
	socket.onerror = () => said.push('error');
	socket.onclose = ({ code }) => said.push(`close ${String(code)}`);
	return { socket, said, timers };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('a ticket socket', () => {
	it('[SYNC-4] fetches a ticket for the document of its address, then is a socket', async () => {
		const asked: string[] = [];
		const { socket, said } = open((document) => {
			asked.push(document);
			return Promise.resolve({ ticket: 'once' });
		});
		expect(socket.readyState).toBe(0);
		await settled();
		const [platform] = PlatformSocket.opened;
		if (platform === undefined) throw new Error('nothing was opened');
		expect(asked).toEqual(['j/business/branch/20261120']);
		expect(platform.url).toBe(`${ADDRESS}?ticket=once`);
		expect(platform.binaryType).toBe('arraybuffer');

		platform.readyState = 1;
		platform.onopen?.({});
		platform.onmessage?.({ data: 'x' });
		socket.send('y');
		expect([socket.readyState, platform.sent]).toEqual([socket.OPEN, ['y']]);
		platform.close(4409, 'fork');
		platform.close(4409, 'fork');
		expect(said).toEqual(['open', 'message x', 'close 4409']);
		expect(socket.readyState).toBe(3);
	});

	it('[SYNC-4] says from where on it is to hear, where it was told', async () => {
		open(() => Promise.resolve({ ticket: 'once', from: '3.812' }));
		await settled();
		expect(PlatformSocket.opened[0]?.url).toBe(`${ADDRESS}?ticket=once&from=3.812`);
	});

	it('[SYNC-5] closes for good where the ticket is refused, and for now where nobody answers', async () => {
		const refused = open(() => Promise.resolve({ refused: 'rights' }));
		await settled();
		expect(refused.said).toEqual([`close ${String(CLOSE.rights)}`]);
		const unreached = open(() => Promise.reject(new Error('offline')));
		await settled();
		expect(unreached.said).toEqual(['error', 'close 1006']);
		expect(PlatformSocket.opened).toEqual([]);
	});

	it('[SYNC-9] gives up a socket that does not open, and no other', async () => {
		const silent = open(() => Promise.resolve({ ticket: 'once' }));
		await settled();
		const [platform] = PlatformSocket.opened;
		const [timer] = silent.timers;
		expect(timer?.ms).toBe(OPENING_MS_MAX);
		timer?.work();
		expect([silent.said, platform?.readyState]).toEqual([['close 1006'], 3]);
		platform?.onopen?.({});
		expect(silent.said).toEqual(['close 1006']);

		const opened = open(() => Promise.resolve({ ticket: 'once' }));
		await settled();
		PlatformSocket.opened[0]?.onopen?.({});
		expect([opened.said, opened.timers.size]).toEqual([['open'], 0]);
	});

	it('[SYNC-5] opens nothing that was closed while the ticket was on its way', async () => {
		const { socket, said } = open(() => Promise.resolve({ ticket: 'late' }));
		socket.close();
		await settled();
		expect(said).toEqual(['close 1000']);
		expect(PlatformSocket.opened).toEqual([]);
	});
});
