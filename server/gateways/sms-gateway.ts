import { err, ok, type Result } from '#domain/result.ts';
import {
	final,
	passing,
	SEND_MS_MAX,
	type MessageGateway,
	type OutgoingMessage,
	type SendRefusal
} from './message-gateway.ts';
import { SMS_DIALECTS, type SmsAccount, type SmsDialectName } from './sms-dialects.ts';

export interface SmsGatewayParts {
	readonly kind: SmsDialectName;
	readonly account: SmsAccount;
	readonly fetch: typeof globalThis.fetch;
	/** How long one try may take, ms. */
	readonly sendMsMax?: number;
}

/** The longest answer that is read. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** Knows the message from an earlier try whose answer was lost: that is as good as taken. */
const KNOWN_ALREADY = 409;
/** Too slow, too many: of all 4xx, those that pass by themselves. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

/** A provider of SMS over HTTP, by its dialect. */
export function createSmsGateway(parts: SmsGatewayParts): MessageGateway {
	return {
		name: parts.kind,
		isPractice: false,
		send: (message) => send(parts, message)
	};
}

async function send(
	{ kind, account, fetch, sendMsMax = SEND_MS_MAX }: SmsGatewayParts,
	message: OutgoingMessage
): Promise<Result<string, SendRefusal>> {
	const dialect = SMS_DIALECTS[kind];
	const { url, headers, body } = dialect.write(message, account);
	try {
		const response = await fetch(url, {
			method: 'POST',
			headers: { ...headers, 'idempotency-key': message.idempotencyKey },
			body,
			redirect: 'error',
			signal: AbortSignal.timeout(sendMsMax)
		});
		if (response.status === KNOWN_ALREADY && kind === 'http') return ok('known already');
		const refused = refusalOf(response.status);
		if (refused !== undefined) {
			await response.body?.cancel();
			return err(refused);
		}
		return dialect.read(await readJson(response));
	} catch (fault) {
		return err(passing(faultWords(fault)));
	}
}

function refusalOf(status: number): SendRefusal | undefined {
	if (status >= 200 && status < 300) return undefined;
	const isPassing = status >= 500 || PASSING_STATUSES.has(status);
	const reason = `it answered ${String(status)}`;
	return isPassing ? passing(reason) : final(reason);
}

/** The answer as JSON; undefined where it is something else or has no end. */
async function readJson(response: Response): Promise<unknown> {
	const chunks: Uint8Array[] = [];
	let length = 0;
	for await (const chunk of response.body ?? []) {
		length += chunk.length;
		if (length > ANSWER_BYTES_MAX) return undefined;
		chunks.push(chunk);
	}
	try {
		return JSON.parse(Buffer.concat(chunks).toString('utf8'));
	} catch (fault) {
		if (fault instanceof SyntaxError) return undefined;
		throw fault;
	}
}

/** What happened on the way, without the address, which may hold a key. */
function faultWords(fault: unknown): string {
	if (fault instanceof DOMException && fault.name === 'TimeoutError')
		return 'it did not answer in time';
	return 'it could not be reached';
}
