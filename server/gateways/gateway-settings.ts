import { err, ok, type Result } from '#domain/result.ts';
import { createEmailGateway } from './email-gateway.ts';
import type { Gateways } from './message-gateway.ts';
import { practiceGateway } from './practice.ts';
import {
	SMS_DIALECTS,
	type SmsAccount,
	type SmsDialect,
	type SmsDialectName
} from './sms-dialects.ts';
import { createSmsGateway } from './sms-gateway.ts';

/** By whom messages go; a way that is undefined is the practice one. */
export interface GatewaySettings {
	readonly sms: { readonly kind: SmsDialectName; readonly account: SmsAccount } | undefined;
	readonly email: { readonly url: string; readonly from: string } | undefined;
}

export interface SettingRefusal {
	readonly variable: string;
	readonly what: string;
}

type Given = (name: string) => string | undefined;

export const NO_GATEWAYS: GatewaySettings = { sms: undefined, email: undefined };

/** Reads the environment. What it refuses never repeats a value, which may be a password. */
export function parseGatewaySettings(given: Given): Result<GatewaySettings, SettingRefusal> {
	const sms = parseSms(given);
	if (!sms.ok) return sms;
	const email = parseEmail(given);
	return email.ok ? ok({ sms: sms.value, email: email.value }) : email;
}

/** The gateways that the settings name. */
export function createGateways(
	{ sms, email }: GatewaySettings,
	parts: { readonly fetch: typeof globalThis.fetch }
): Gateways {
	return {
		sms: sms === undefined ? practiceGateway : createSmsGateway({ ...sms, ...parts }),
		email: email === undefined ? practiceGateway : createEmailGateway(email)
	};
}

function parseSms(given: Given): Result<GatewaySettings['sms'], SettingRefusal> {
	const asked = given('SMS_GATEWAY');
	if (asked === undefined) return ok(undefined);
	const kind = SMS_KINDS.find((known) => known === asked);
	if (kind === undefined) return refused('SMS_GATEWAY', `must be one of ${SMS_KINDS.join(', ')}`);
	const account = parseSmsAccount(given, kind);
	return account.ok ? ok({ kind, account: account.value }) : account;
}

function parseSmsAccount(given: Given, kind: SmsDialectName): Result<SmsAccount, SettingRefusal> {
	const dialect: SmsDialect = SMS_DIALECTS[kind];
	const set = (name: string): string => given(name) ?? '';
	const url = given('SMS_URL') ?? dialect.url;
	const [account, key, from] = [set('SMS_ACCOUNT'), set('SMS_KEY'), set('SMS_FROM')];
	if (url === undefined || !isHttp(url))
		return refused('SMS_URL', 'must be the http:// or https:// address of the gateway');
	if (dialect.needsAccount && account === '')
		return refused('SMS_ACCOUNT', `must name the account at ${kind}`);
	if (!/^[\x21-\x7e]+$/.test(key)) return refused('SMS_KEY', `must be the key for ${kind}`);
	if (from === '' && dialect.needsSender)
		return refused('SMS_FROM', 'must be the number or name that messages come from');
	return ok({ url: url.replace(/\/+$/, ''), account, key, from });
}

function parseEmail(given: Given): Result<GatewaySettings['email'], SettingRefusal> {
	const url = given('MAIL_URL');
	if (url === undefined) return ok(undefined);
	const isOne = /^smtps?:\/\//.test(url) && URL.canParse(url) && new URL(url).hostname !== '';
	if (!isOne)
		return refused('MAIL_URL', 'must be of the form smtp://user:password@host:port, or smtps://');
	const from = given('MAIL_FROM');
	if (from === undefined || !/@[^\s@>]+>?$/.test(from))
		return refused('MAIL_FROM', 'must be the address that e-mails come from');
	return ok({ url, from });
}

const SMS_KINDS = ['http', 'twilio', 'africastalking', 'termii'] as const;

function isHttp(url: string): boolean {
	return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

function refused(variable: string, what: string): Result<never, SettingRefusal> {
	return err({ variable, what });
}
