import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageGatewayContract } from '#tests/contract/message-gateway.ts';
import {
	startHttpGateway,
	startMailServer,
	type GatewayServer
} from '#tests/support/gateway-servers.ts';
import { createEmailGateway } from './email-gateway.ts';
import { createGateways, NO_GATEWAYS, parseGatewaySettings } from './gateway-settings.ts';
import type { MessageGateway } from './message-gateway.ts';
import { SMS_DIALECTS, type SmsDialectName } from './sms-dialects.ts';
import { createSmsGateway } from './sms-gateway.ts';

const sendMsMax = 300;

function smsGateway(kind: SmsDialectName, { port }: GatewayServer): MessageGateway {
	const url = `http://127.0.0.1:${String(port)}`;
	const account = { url, account: 'AC1', key: 'secret-key', from: 'Daftar' };
	return createSmsGateway({ kind, account, fetch: globalThis.fetch, sendMsMax });
}

const TAKEN: Readonly<Record<SmsDialectName, object>> = {
	http: { id: 7 },
	twilio: { sid: 'SM1', status: 'queued' },
	africastalking: {
		SMSMessageData: { Recipients: [{ statusCode: 101, status: 'Success', messageId: 'AT1' }] }
	},
	termii: { code: 'ok', message_id: '9', message: 'Successfully Sent' }
};

const SENDS: Readonly<Record<SmsDialectName, readonly RegExp[]>> = {
	http: [
		/^POST \/ /,
		/authorization: Bearer secret-key/i,
		/"to":"\+254712345678"/,
		/"key":"key\/1"/
	],
	twilio: [
		/^POST \/2010-04-01\/Accounts\/AC1\/Messages\.json /,
		/authorization: Basic QUMxOnNlY3JldC1rZXk=/i,
		/To=%2B254712345678&Body=Daftar.*&From=Daftar/
	],
	africastalking: [
		/^POST \/version1\/messaging /,
		/apikey: secret-key/i,
		/username=AC1&to=%2B254712345678&message=Daftar.*&from=Daftar/
	],
	termii: [/^POST \/api\/sms\/send /, /"api_key":"secret-key"/, /"to":"254712345678"/, /482177/]
};

for (const kind of ['http', 'twilio', 'africastalking', 'termii'] as const) {
	messageGatewayContract(kind, async () => {
		const server = await startHttpGateway(TAKEN[kind]);
		const gateway = smsGateway(kind, server);
		const sends = [...SENDS[kind], /idempotency-key: key\/1/i];
		return { server, gateway, to: '+254712345678', sends };
	});
}

messageGatewayContract('smtp', async () => {
	const server = await startMailServer();
	const gateway = createEmailGateway({
		url: `smtp://127.0.0.1:${String(server.port)}`,
		from: 'Daftar <daftar@example.org>',
		sendMsMax
	});
	const sends = [
		/^From: Daftar <daftar@example\.org>$/m,
		/^To: amina@example\.org$/m,
		/^Subject: Code$/m,
		/^Message-ID: <[0-9a-f]{32}@example\.org>$/m
	];
	return { server, gateway, to: 'amina@example.org', sends };
});

describe('a provider of SMS', () => {
	let server: GatewayServer;
	beforeAll(async () => {
		server = await startHttpGateway({});
	});
	afterAll(() => server.close());

	it.each(['garbage', 'endless'] as const)(
		'[MESSAGE-3] whose answer is %s may be asked again',
		async (mood) => {
			server.mood = mood;
			const sent = smsGateway('twilio', server).send({ to: '+1', text: 'x', idempotencyKey: 'k' });
			expect(await sent).toMatchObject({ ok: false, error: { isPassing: true } });
		}
	);

	it.each([
		[
			{ SMSMessageData: { Recipients: [{ statusCode: 403, status: 'InvalidPhoneNumber' }] } },
			false
		],
		[{ SMSMessageData: { Recipients: [{ statusCode: 501, status: 'GatewayError' }] } }, true],
		[{ SMSMessageData: { Recipients: [], Message: 'InsufficientBalance' } }, false],
		[{}, false],
		[null, false]
	])('[MESSAGE-3] reads from Africa’s Talking: %j', (body, isPassing) => {
		expect(SMS_DIALECTS.africastalking.read(body)).toMatchObject({
			ok: false,
			error: { isPassing }
		});
	});

	it('[MESSAGE-3] says nothing that cannot be written down', () => {
		expect(SMS_DIALECTS.http.read({ id: 'id\0 7\n' })).toEqual({ ok: true, value: 'id  7 ' });
	});

	it('[MESSAGE-2] that knows the message already has taken it', async () => {
		const fetch: typeof globalThis.fetch = () => Promise.resolve(new Response('', { status: 409 }));
		const account = { url: 'http://sms.test', account: '', key: 'k', from: 'Daftar' };
		const message = { to: '+1', text: 'x', idempotencyKey: 'k' };
		const known = createSmsGateway({ kind: 'http', account, fetch }).send(message);
		expect(await known).toEqual({ ok: true, value: 'known already' });
	});
});

describe('the settings of gateways', () => {
	const parse = (
		given: Readonly<Record<string, string>>
	): ReturnType<typeof parseGatewaySettings> => parseGatewaySettings((name) => given[name]);
	const twilio = { SMS_GATEWAY: 'twilio', SMS_ACCOUNT: 'AC1', SMS_KEY: 'secret', SMS_FROM: '+1' };
	const mail = { MAIL_URL: 'smtp://me:secret@mail.test:25', MAIL_FROM: 'Daftar <d@example.org>' };

	it('[MESSAGE-8] are none, or whole', () => {
		expect(parse({})).toEqual({ ok: true, value: NO_GATEWAYS });
		const practice = createGateways(NO_GATEWAYS, { fetch: globalThis.fetch });
		expect([practice.sms.isPractice, practice.email.isPractice]).toEqual([true, true]);
		const parsed = parse({ ...twilio, ...mail });
		expect(parsed).toMatchObject({ ok: true, value: { sms: { kind: 'twilio' } } });
		if (!parsed.ok) return;
		const real = createGateways(parsed.value, { fetch: globalThis.fetch });
		expect([real.sms.name, real.email.name]).toEqual(['twilio', 'smtp']);
	});

	it.each([
		['SMS_GATEWAY', { SMS_GATEWAY: 'pigeon' }],
		['SMS_ACCOUNT', { ...twilio, SMS_ACCOUNT: '' }],
		['SMS_KEY', { ...twilio, SMS_KEY: 'two words' }],
		['SMS_FROM', { ...twilio, SMS_FROM: '' }],
		['SMS_URL', { ...twilio, SMS_URL: 'ftp://secret' }],
		['SMS_URL', { ...twilio, SMS_GATEWAY: 'http' }],
		['MAIL_URL', { ...mail, MAIL_URL: 'mail.test:secret' }],
		['MAIL_FROM', { ...mail, MAIL_FROM: 'secret' }],
		['MAIL_FROM', { MAIL_URL: mail.MAIL_URL }]
	])('[MESSAGE-8] refuse by the name %s', (variable, given) => {
		const refused = parse(given);
		expect(refused).toMatchObject({ ok: false, error: { variable } });
		expect(JSON.stringify(refused)).not.toContain('secret');
	});
});
