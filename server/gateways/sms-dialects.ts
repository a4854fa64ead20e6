import { err, ok, type Result } from '#domain/result.ts';
import { final, passing, type OutgoingMessage, type SendRefusal } from './message-gateway.ts';

/** An account at a provider of SMS. */
export interface SmsAccount {
	/** Where it is asked. */
	readonly url: string;
	/** Its name there: Twilio's account SID, Africa's Talking's username. */
	readonly account: string;
	readonly key: string;
	/** The number or name that people see. */
	readonly from: string;
}

export interface SmsRequest {
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
}

/** How one provider is spoken to over HTTP, and how its answers are read. */
export interface SmsDialect {
	/** Where it is, unless the operator says otherwise; undefined where he must. */
	readonly url: string | undefined;
	/** Whether it needs an account's name beside the key. */
	readonly needsAccount: boolean;
	/** Whether it needs to be told who a message is from. */
	readonly needsSender: boolean;
	write(message: OutgoingMessage, account: SmsAccount): SmsRequest;
	/** Reads the answer to a request with a status of 200 to 299: what the message is called there. */
	read(body: unknown): Result<string, SendRefusal>;
}

export type SmsDialectName = 'http' | 'twilio' | 'africastalking' | 'termii';

export const SMS_DIALECTS: Readonly<Record<SmsDialectName, SmsDialect>> = {
	/** Any program of the operator's: JSON `{to, from, text, key}`; a 2xx means taken. */
	http: {
		url: undefined,
		needsAccount: false,
		needsSender: true,
		write: ({ to, text, idempotencyKey: key }, { url, key: token, from }) => ({
			url,
			headers: { ...JSON_BODY, authorization: `Bearer ${token}` },
			body: JSON.stringify({ to, from, text, key })
		}),
		read: (body) => ok(plain(textAt(body, ['id']) ?? 'taken'))
	},
	/** Twilio's Messages resource, 2010-04-01. */
	twilio: {
		url: 'https://api.twilio.com',
		needsAccount: true,
		needsSender: true,
		write: ({ to, text }, { url, account, key, from }) => ({
			url: `${url}/2010-04-01/Accounts/${encodeURIComponent(account)}/Messages.json`,
			headers: {
				...FORM_BODY,
				authorization: `Basic ${Buffer.from(`${account}:${key}`).toString('base64')}`
			},
			body: form({
				To: to,
				Body: text,
				// A messaging service is named by an id that begins so, a number by itself.
				...(from.startsWith('MG') ? { MessagingServiceSid: from } : { From: from })
			})
		}),
		read: (body) => named(textAt(body, ['sid']))
	},
	/** Africa's Talking, version 1 of bulk messaging: one status for each recipient. */
	africastalking: {
		url: 'https://api.africastalking.com',
		needsAccount: true,
		needsSender: false,
		write: ({ to, text }, { url, account, key, from }) => ({
			url: `${url}/version1/messaging`,
			headers: { ...FORM_BODY, apikey: key },
			body: form({ username: account, to, message: text, ...(from === '' ? {} : { from }) })
		}),
		read: readAfricasTalking
	},
	/** Termii's `sms/send`; a number is written without its plus. */
	termii: {
		url: 'https://api.ng.termii.com',
		needsAccount: false,
		needsSender: true,
		write: ({ to, text }, { url, key, from }) => ({
			url: `${url}/api/sms/send`,
			headers: JSON_BODY,
			body: JSON.stringify({
				api_key: key,
				to: to.replace(/^\+/, ''),
				from,
				sms: text,
				type: 'plain',
				channel: 'generic'
			})
		}),
		read: (body) => {
			const code = textAt(body, ['code']);
			if (code !== undefined && code !== 'ok') return err(final(`it answered ${plain(code)}`));
			return named(textAt(body, ['message_id']));
		}
	}
};

const JSON_BODY = { 'content-type': 'application/json', accept: 'application/json' };
const FORM_BODY = {
	'content-type': 'application/x-www-form-urlencoded',
	accept: 'application/json'
};

/** Its own list: 100 processed, 101 sent, 102 queued; from 500 on it is in trouble itself. */
const TAKEN_CODES: ReadonlySet<unknown> = new Set([100, 101, 102]);
const OWN_TROUBLE_CODE = 500;

function readAfricasTalking(body: unknown): Result<string, SendRefusal> {
	const recipients = at(body, ['SMSMessageData', 'Recipients']);
	const first: unknown = Array.isArray(recipients) ? recipients[0] : undefined;
	if (first === undefined) {
		const said = textAt(body, ['SMSMessageData', 'Message']) ?? 'nothing';
		return err(final(`it took no recipient: ${plain(said)}`));
	}
	const code = at(first, ['statusCode']);
	if (TAKEN_CODES.has(code)) return named(textAt(first, ['messageId']));
	const reason = `it answered ${plain(textAt(first, ['status']) ?? String(code))}`;
	return err(
		typeof code === 'number' && code >= OWN_TROUBLE_CODE ? passing(reason) : final(reason)
	);
}

/** A message that it took has a name; without one the answer is not the provider's. */
function named(id: string | undefined): Result<string, SendRefusal> {
	return id === undefined ? err(passing('its answer was not understood')) : ok(plain(id));
}

function at(body: unknown, path: readonly string[]): unknown {
	let value = body;
	for (const name of path) {
		if (typeof value !== 'object' || value === null) return undefined;
		value = new Map<string, unknown>(Object.entries(value)).get(name);
	}
	return value;
}

function textAt(body: unknown, path: readonly string[]): string | undefined {
	const value = at(body, path);
	return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

const ANSWER_LENGTH_MAX = 120;

/** Somebody else's words for our log: short, on one line. */
function plain(text: string): string {
	return text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, ' ').slice(0, ANSWER_LENGTH_MAX);
}

function form(fields: Readonly<Record<string, string>>): string {
	return new URLSearchParams(fields).toString();
}
