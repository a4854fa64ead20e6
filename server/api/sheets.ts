import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import { encodeBase64url } from '#domain/bytes.ts';
import { parsePersonId, type PersonId } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { SHEET_KINDS } from '#domain/fact/ledger-fact.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { findPhone, type PhoneCaller } from '#server/auth/phone-auth.ts';
import { commitUnlessRefused } from '#server/database/transaction.ts';
import { makePersonSet, sendPersonList } from '#server/ledgers/customer-sheets.ts';
import type { LedgerName } from '#server/ledgers/ledger-parts.ts';
import { personSecrets, type PersonSecret } from '#server/ledgers/secrets.ts';
import {
	businessField,
	capField,
	currencyField,
	exponentField,
	ledgerField,
	readBody
} from './body.ts';
import { answer, tooMany, type LedgerRouteParts } from './ledger-route-parts.ts';
import { problem, refusal } from './problem.ts';

const nameFields = { business: businessField, ledger: ledgerField };
const setSchema = v.object({
	...nameFields,
	kind: v.picklist(SHEET_KINDS),
	currency: currencyField,
	exponent: exponentField,
	cap: capField
});
const listSchema = v.object(nameFields);

/**
 * CODES-1. `POST /people/{person}/sheets`: a new set of one-time codes, which ends all others.
 * CODES-4. `POST /people/{person}/sheets/sms`: the open codes, to the person's proved number.
 * CODES-10. `GET /people/{person}/secrets`: what the person's own phones make the codes from, the latest first.
 */
export function sheetRoutes(parts: LedgerRouteParts): Hono {
	const routes = new Hono();
	routes.get('/people/:person/secrets', async (c) => {
		const caller = await phoneCalling(c, parts);
		if (!caller.ok) return problem(c, refusal(caller.error));
		const secrets = await secretsFor(parts, caller.value);
		if (!secrets.ok) return problem(c, refusal(secrets.error));
		return c.json({ secrets: secrets.value.map(({ key }) => encodeBase64url(key)) });
	});
	routes.post('/people/:person/sheets', async (c) => {
		const person = await personCalling(c, parts);
		if (!person.ok) return problem(c, refusal(person.error));
		const body = await readBody(c, setSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const { business, ledger, ...worth } = body.value;
		const many = await tooMany(parts.limits, 'setsByLedger', whoAsks(person.value, body.value));
		if (many !== undefined) return problem(c, many);
		const name = { business, ledger };
		return answer(c, await makePersonSet(parts, { name, person: person.value, worth }), 201);
	});
	routes.post('/people/:person/sheets/sms', async (c) => {
		const person = await personCalling(c, parts);
		if (!person.ok) return problem(c, refusal(person.error));
		const body = await readBody(c, listSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const name = body.value;
		const many = await tooMany(parts.limits, 'listsByLedger', whoAsks(person.value, name));
		if (many !== undefined) return problem(c, many);
		return answer(c, await sendPersonList(parts, { name, person: person.value }));
	});
	return routes;
}

/** CODES-14. Asked once more under the lock under which phones are removed: what is made after that is not for one that was. */
function secretsFor(
	parts: LedgerRouteParts,
	{ scope, code }: PhoneCaller
): Promise<Result<readonly PersonSecret[], ProblemCode>> {
	return commitUnlessRefused(parts.executor, async (tx) => {
		await parts.lockScopes(tx, [scope]);
		const standing = await findPhone(tx, scope, code);
		return standing.ok ? ok(await personSecrets(tx, parts, scope)) : standing;
	});
}

/** Counted before it is known whose ledger it is: nobody may use up what is another's. */
function whoAsks(person: PersonId, { business, ledger }: LedgerName): string {
	return `${person}/${business}/${ledger}`;
}

async function personCalling(
	c: Context,
	parts: LedgerRouteParts
): Promise<Result<PersonId, ProblemCode>> {
	const caller = await phoneCalling(c, parts);
	return caller.ok ? ok(caller.value.scope) : caller;
}

/** A phone of the person of the path; another's is as one that is not there. */
async function phoneCalling(
	c: Context,
	{ phoneAuth }: LedgerRouteParts
): Promise<Result<PhoneCaller, ProblemCode>> {
	const caller = await phoneAuth.authenticatePhone(c.req.raw.headers);
	if (!caller.ok) return caller;
	const named = parsePersonId(c.req.param('person'));
	return named.ok && named.value === caller.value.scope ? caller : err('notFound');
}
