import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chromium } from '@playwright/test';
import { WebSocket } from 'ws';
import { launchWhole } from '../e2e/browser.ts';

/** A page of a browser that nobody looks into: only what is asked for here is asked of it. */
export interface BarePage extends AsyncDisposable {
	send(method: string, params?: object): Promise<unknown>;
	/** The value of an expression in the page, or of what it promises. */
	evaluate(expression: string): Promise<unknown>;
}

/** A browser on a profile, without the many observers that a test's driver puts into each page. */
export interface BareBrowser extends AsyncDisposable {
	open(): Promise<BarePage>;
}

const SIZE = { width: 360, height: 640 };

/**
 * Starts Chromium on a profile. A driver for tests listens to each request and each script, for
 * which the browser reads programs again that it had compiled: that is no part of anybody's start.
 */
export async function openBareBrowser(profile: string): Promise<BareBrowser> {
	const child = spawn(
		launchWhole.executablePath ?? chromium.executablePath(),
		[
			...(launchWhole.args ?? []),
			'--headless',
			'--remote-debugging-port=0',
			`--user-data-dir=${profile}`,
			`--window-size=${String(SIZE.width)},${String(SIZE.height)}`,
			'--lang=en-KE',
			'about:blank'
		],
		{ stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, TZ: 'Africa/Nairobi' } }
	);
	const socket = new WebSocket(await addressOf(child.stderr));
	await once(socket, 'open');
	const ask = createAsk(socket);
	return {
		async open() {
			const { targetId } = (await ask('Target.createTarget', { url: 'about:blank' })) as {
				targetId: string;
			};
			const { sessionId } = (await ask('Target.attachToTarget', { targetId, flatten: true })) as {
				sessionId: string;
			};
			const send = (method: string, params?: object): Promise<unknown> =>
				ask(method, params, sessionId);
			return {
				send,
				evaluate: async (expression) => {
					const how = { expression, awaitPromise: true, returnByValue: true };
					const { result, exceptionDetails } = (await send('Runtime.evaluate', how)) as {
						result: { value: unknown };
						exceptionDetails?: { text: string };
					};
					if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
					return result.value;
				},
				[Symbol.asyncDispose]: async () => {
					await ask('Target.closeTarget', { targetId });
				}
			};
		},
		[Symbol.asyncDispose]: async () => {
			const ended = once(child, 'exit');
			await ask('Browser.close').catch(() => child.kill('SIGKILL'));
			await ended;
			socket.close();
		}
	};
}

async function addressOf(stderr: NodeJS.ReadableStream): Promise<string> {
	let said = '';
	for await (const piece of stderr) {
		said += String(piece);
		const [, address] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
		if (address !== undefined) return address;
	}
	throw new Error(`the browser did not start: ${said}`);
}

type BareAsk = (method: string, params?: object, sessionId?: string) => Promise<unknown>;

function createAsk(socket: WebSocket): BareAsk {
	const waiting = new Map<number, PromiseWithResolvers<unknown>>();
	let last = 0;
	socket.on('message', (data: Buffer) => {
		const { id, result, error } = JSON.parse(data.toString()) as {
			id?: number;
			result?: unknown;
			error?: { message: string };
		};
		const one = waiting.get(id ?? 0);
		waiting.delete(id ?? 0);
		if (error === undefined) one?.resolve(result);
		else one?.reject(new Error(error.message));
	});
	return (method, params = {}, sessionId) => {
		last += 1;
		const answer = Promise.withResolvers<unknown>();
		waiting.set(last, answer);
		socket.send(JSON.stringify({ id: last, method, params, sessionId }));
		return answer.promise;
	};
}
