import { Hono, type Context, type MiddlewareHandler } from 'hono';
import * as v from 'valibot';
import { parseRecordHash } from '#domain/confirmation/record-hash.ts';
import { parseLedgerId, type DeviceCode } from '#domain/ids.ts';
import type { LedgerName } from '#server/ledgers/ledger-parts.ts';
import { createLedgerInvite } from '#server/ledgers/ledger-invites.ts';
import { sendShopList } from '#server/ledgers/customer-sheets.ts';
import { parsePhone } from '#server/ledgers/phone-number.ts';
import { askPhone, confirmOldPhone, confirmPhone } from '#server/ledgers/phone-links.ts';
import { sendRecordSms } from '#server/ledgers/record-sms.ts';
import { capField, currencyField, exponentField, readBody } from './body.ts';
import { answer, codeRefusal, tooMany, type LedgerRouteParts } from './ledger-route-parts.ts';
import { problem, refusal } from './problem.ts';

interface LedgerEnv {
	Variables: { ledger: LedgerName; code: DeviceCode };
}

const phoneSchema = v.object({ phone: v.string(), region: v.optional(v.string()) });
const codeSchema = v.object({ code: v.string() });
const listSchema = v.object({ currency: currencyField, exponent: exponentField, cap: capField });

/** What a shop's device does about one ledger of its own business. */
export function ledgerRoutes(parts: LedgerRouteParts): Hono {
	const routes = new Hono<LedgerEnv>();
	routes.use('/ledgers/:ledger/*', ofOwnBusiness(parts));
	routes.post('/ledgers/:ledger/invites', async (c) => {
		const { ledger: name, code } = c.var;
		const many = await tooMany(parts.limits, 'ledgerInvitesByBusiness', name.business);
		if (many !== undefined) return problem(c, many);
		return c.json(await createLedgerInvite(parts, { name, code }), 201);
	});
	routes.post('/ledgers/:ledger/phone', (c) => beginPhone(c, parts));
	routes.post('/ledgers/:ledger/phone/confirm', (c) => tryCode(c, parts, 'new'));
	routes.post('/ledgers/:ledger/phone/confirm-old', (c) => tryCode(c, parts, 'old'));
	routes.post('/ledgers/:ledger/records/:h/sms', async (c) => {
		const h = parseRecordHash(c.req.param('h'));
		if (!h.ok) return problem(c, refusal('recordUnknown'));
		return answer(c, await sendRecordSms(parts, { name: c.var.ledger, h: h.value }));
	});
	routes.post('/ledgers/:ledger/sheets/sms', async (c) => {
		const body = await readBody(c, listSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const name = c.var.ledger;
		const many = await tooMany(parts.limits, 'listsByLedger', `${name.business}/${name.ledger}`);
		if (many !== undefined) return problem(c, many);
		const worth = { ...body.value, kind: 'debit' } as const;
		return answer(c, await sendShopList(parts, { name, worth }), 201);
	});
	const api = new Hono();
	api.route('/', routes);
	return api;
}

/** The business is the device's own, whatever ledger it names: another's ledger is not found in it. */
function ofOwnBusiness({ deviceAuth }: LedgerRouteParts): MiddlewareHandler<LedgerEnv> {
	return async (c, next) => {
		const caller = await deviceAuth.authenticateDevice(c.req.raw.headers);
		if (!caller.ok) return problem(c, refusal(caller.error));
		const ledger = parseLedgerId(c.req.param('ledger'));
		if (!ledger.ok) return problem(c, refusal('notFound'));
		c.set('ledger', { business: caller.value.business, ledger: ledger.value });
		c.set('code', caller.value.code);
		return next();
	};
}

async function beginPhone(c: Context<LedgerEnv>, parts: LedgerRouteParts): Promise<Response> {
	const body = await readBody(c, phoneSchema);
	if (!body.ok) return problem(c, refusal(body.error));
	const phone = parsePhone(body.value.phone, body.value.region);
	if (!phone.ok) return problem(c, refusal(phone.error));
	const name = c.var.ledger;
	const many = await tooMany(parts.limits, 'phoneProofsByBusiness', name.business);
	if (many !== undefined) return problem(c, many);
	const asked = await askPhone(parts, { name, phone: phone.value });
	return asked.ok ? c.json(asked.value, 201) : problem(c, codeRefusal(asked.error));
}

async function tryCode(
	c: Context<LedgerEnv>,
	parts: LedgerRouteParts,
	which: 'new' | 'old'
): Promise<Response> {
	const body = await readBody(c, codeSchema);
	if (!body.ok) return problem(c, refusal(body.error));
	const name = c.var.ledger;
	const many = await tooMany(parts.limits, 'phoneTriesByLedger', `${name.business}/${name.ledger}`);
	if (many !== undefined) return problem(c, many);
	const tried = { name, code: body.value.code };
	const done =
		which === 'new' ? await confirmPhone(parts, tried) : await confirmOldPhone(parts, tried);
	return done.ok ? c.json(done.value ?? {}) : problem(c, codeRefusal(done.error));
}
