import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import { parseUsername } from '#domain/account/username.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { answerAsk, askToConnect, type AnswerRefusal, type NewAsk } from '#server/ledgers/asks.ts';
import { commitAct } from '#server/ledgers/act.ts';
import { lockGuard, readLink } from '#server/ledgers/guard.ts';
import { endLink, type EndRefusal } from '#server/ledgers/linking.ts';
import type { LedgerName } from '#server/ledgers/ledger-parts.ts';
import { businessField, ledgerField, personField, readBody } from './body.ts';
import {
	answer,
	eitherCaller,
	ownsPerson,
	tooMany,
	type LedgerCaller,
	type LedgerRouteParts
} from './ledger-route-parts.ts';
import { problem, refusal } from './problem.ts';

const shopAskSchema = v.object({ ledger: ledgerField, username: v.string() });
const customerAskSchema = v.object({ person: personField, username: v.string() });
const answerSchema = v.object({ accept: v.boolean(), ledger: v.optional(ledgerField) });
const endSchema = v.object({ business: businessField, ledger: ledgerField });

/**
 * CONNECT-3. `POST /connections`: one side asks. CONNECT-4. `POST /connections/{ask}/answer`: the
 * other says yes or no. CONNECT-5. `POST /connections/end`: either ends it.
 */
export function connectionRoutes(parts: LedgerRouteParts): Hono {
	const routes = new Hono();
	routes.post('/connections', (c) => ask(c, parts));
	routes.post('/connections/end', (c) => end(c, parts));
	routes.post('/connections/:ask/answer', (c) => decide(c, parts));
	return routes;
}

async function ask(c: Context, parts: LedgerRouteParts): Promise<Response> {
	const caller = await eitherCaller(c, parts);
	if (!caller.ok) return problem(c, refusal(caller.error));
	const asked = await readAsk(c, parts, caller.value);
	if (!asked.ok) return problem(c, refusal(asked.error));
	const many = await tooMany(parts.limits, 'asksByCaller', caller.value.key);
	if (many !== undefined) return problem(c, many);
	return answer(c, await askToConnect(parts, asked.value), 201);
}

async function readAsk(
	c: Context,
	parts: LedgerRouteParts,
	caller: LedgerCaller
): Promise<Result<NewAsk, ProblemCode>> {
	if (caller.by === 'shop') {
		const body = await readBody(c, shopAskSchema);
		if (!body.ok) return body;
		const username = parseUsername(body.value.username);
		if (!username.ok) return err('notFound');
		const { ledger } = body.value;
		const { business, code } = caller.device;
		return ok({ by: 'shop', business, code, ledger, username: username.value });
	}
	const body = await readBody(c, customerAskSchema);
	if (!body.ok) return body;
	const { person } = body.value;
	if (!(await ownsPerson(parts.executor, caller.session, person))) return err('notFound');
	const username = parseUsername(body.value.username);
	return username.ok ? ok({ by: 'customer', person, username: username.value }) : err('notFound');
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

async function decide(c: Context, parts: LedgerRouteParts): Promise<Response> {
	const caller = await eitherCaller(c, parts);
	if (!caller.ok) return problem(c, refusal(caller.error));
	const body = await readBody(c, answerSchema);
	if (!body.ok) return problem(c, refusal(body.error));
	const askId = c.req.param('ask') ?? '';
	if (!UUID.test(askId)) return problem(c, refusal('notFound'));
	const { accept: isAccepted, ledger } = body.value;
	const by = caller.value;
	const decided = await answerAsk(parts, {
		ask: askId,
		isAccepted,
		by:
			by.by === 'shop'
				? { side: 'shop', business: by.device.business, ledger }
				: { side: 'customer', account: by.session.account }
	});
	if (!decided.ok) return answer(c, err(CODE_OF_ANSWER[decided.error]));
	const { ledger: linked, isEnded } = decided.value;
	return answer(c, isEnded === true ? err('askAnswered') : ok({ ledger: linked }));
}

/** Who answers learns as much as who was asked may know. */
const CODE_OF_ANSWER: Readonly<Record<AnswerRefusal, ProblemCode>> = {
	notFound: 'notFound',
	askAnswered: 'askAnswered',
	inviteOfAnother: 'inviteOfAnother',
	ledgerMissing: 'bodyInvalid',
	ownShop: 'ownShop',
	ledgerTaken: 'alreadyLinked',
	alreadyLinked: 'alreadyLinked',
	oldCodeNeeded: 'oldCodeNeeded'
};

async function end(c: Context, parts: LedgerRouteParts): Promise<Response> {
	const caller = await eitherCaller(c, parts);
	if (!caller.ok) return problem(c, refusal(caller.error));
	const body = await readBody(c, endSchema);
	if (!body.ok) return problem(c, refusal(body.error));
	if (!(await isOfCaller(parts, caller.value, body.value))) {
		return problem(c, refusal('notFound'));
	}
	const ended = { ...body.value, by: caller.value.by };
	const done = await commitAct<null, 'notFound' | EndRefusal>(parts, async (act) => {
		// Another may stand there by now, whom a transaction put there that held the lock.
		await lockGuard(act.tx, body.value);
		const isOf = await isOfCaller({ executor: act.tx }, caller.value, body.value);
		return isOf ? endLink(act, parts, ended) : err('notFound');
	});
	return answer(c, done.ok ? ok({}) : done);
}

/** A shop ends its own; a customer ends what one of his persons is linked to. */
async function isOfCaller(
	{ executor }: Pick<LedgerRouteParts, 'executor'>,
	caller: LedgerCaller,
	name: LedgerName
): Promise<boolean> {
	if (caller.by === 'shop') return caller.device.business === name.business;
	const person = (await readLink(executor, name))?.person ?? null;
	return person !== null && ownsPerson(executor, caller.session, person);
}
