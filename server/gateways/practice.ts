import { ok } from '#domain/result.ts';
import type { MessageGateway } from './message-gateway.ts';

/**
 * Takes every message and carries it nowhere: without an account at any provider all is as with
 * one, and the operator reads the messages in the outbox.
 */
export const practiceGateway: MessageGateway = {
	name: 'practice',
	isPractice: true,
	send: () => Promise.resolve(ok('kept in the outbox'))
};
