import { createHash } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { err, ok, type Result } from '#domain/result.ts';
import {
	final,
	passing,
	SEND_MS_MAX,
	type MessageGateway,
	type OutgoingMessage,
	type SendRefusal
} from './message-gateway.ts';

export interface EmailGatewayParts {
	/** `smtp://user:password@host:port` or `smtps://…`. */
	readonly url: string;
	/** Who it is from: `Daftar <daftar@example.org>`. */
	readonly from: string;
	/** How long one try may take, ms. */
	readonly sendMsMax?: number;
}

/** A permanent refusal of SMTP (RFC 5321, 4.2.1); 4xx and everything else may pass. */
const FINAL_REPLY_MIN = 500;

/** A mail server over SMTP. */
export function createEmailGateway({
	url,
	from,
	sendMsMax = SEND_MS_MAX
}: EmailGatewayParts): MessageGateway {
	const { hostname, port, protocol, username, password } = new URL(url);
	const isSecure = protocol === 'smtps:';
	const transport = createTransport({
		host: hostname.replace(/^\[|\]$/g, ''),
		port: port === '' ? portOf(isSecure) : Number(port),
		secure: isSecure,
		// A password never goes over a line that anybody reads.
		requireTLS: username !== '' && !isSecure,
		...(username === ''
			? {}
			: { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
		connectionTimeout: sendMsMax,
		greetingTimeout: sendMsMax,
		socketTimeout: sendMsMax,
		disableFileAccess: true,
		disableUrlAccess: true
	});

	async function send(message: OutgoingMessage): Promise<Result<string, SendRefusal>> {
		const late = Promise.withResolvers<never>();
		const timer = setTimeout(() => {
			late.reject(new Error('it did not answer in time'));
		}, sendMsMax);
		try {
			const sending = transport.sendMail({
				from,
				to: { name: '', address: message.to },
				subject: message.subject ?? 'Daftar',
				text: message.text,
				// The same in every try, so that a mailbox that got two shows one.
				messageId: messageIdOf(message.idempotencyKey, from),
				headers: { 'Auto-Submitted': 'auto-generated' }
			});
			sending.catch(() => undefined);
			await Promise.race([sending, late.promise]);
			return ok('taken');
		} catch (fault) {
			return err(refusalOf(fault));
		} finally {
			clearTimeout(timer);
		}
	}
	return { name: 'smtp', isPractice: false, send };
}

function portOf(isSecure: boolean): number {
	return isSecure ? 465 : 587;
}

function messageIdOf(key: string, from: string): string {
	const host = /@([^\s>]+)/.exec(from)?.[1] ?? 'localhost';
	return `<${createHash('sha256').update(key).digest('hex').slice(0, 32)}@${host}>`;
}

function refusalOf(fault: unknown): SendRefusal {
	const reply = fault instanceof Error && 'responseCode' in fault ? fault.responseCode : undefined;
	if (typeof reply !== 'number') {
		const isLate = fault instanceof Error && /time/i.test(fault.message);
		return passing(isLate ? 'it did not answer in time' : 'it could not be reached');
	}
	const reason = `it answered ${String(reply)}`;
	return reply >= FINAL_REPLY_MIN ? final(reason) : passing(reason);
}
