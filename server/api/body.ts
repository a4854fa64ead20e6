import type { Context } from 'hono';
import * as v from 'valibot';
import { decodeBase64url } from '#domain/bytes.ts';
import { isAmount, isCurrencyCode, isExponent } from '#domain/confirmation/limits.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '#domain/crypto.ts';
import {
	parseBranchId,
	parseBusinessId,
	parseDeviceCode,
	parseFactId,
	parseLedgerId,
	parsePersonId,
	type BranchId,
	type BusinessId,
	type DeviceCode,
	type FactId,
	type LedgerId,
	type PersonId
} from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';

type Parse<T> = (text: string) => Result<T, unknown>;
type Parsed<T> = v.GenericSchema<string, T>;

/** The body as `schema` reads it; fields that it does not name are left out. */
export async function readBody<T>(
	c: Context,
	schema: v.GenericSchema<unknown, T>
): Promise<Result<T, 'bodyInvalid'>> {
	let body: unknown;
	try {
		body = await c.req.json();
	} catch (fault) {
		if (fault instanceof SyntaxError) return err('bodyInvalid');
		throw fault;
	}
	const parsed = v.safeParse(schema, body, { abortEarly: true });
	return parsed.success ? ok(parsed.output) : err('bodyInvalid');
}

export const businessField: Parsed<BusinessId> = parsedBy(parseBusinessId);
export const branchField: Parsed<BranchId> = parsedBy(parseBranchId);
export const personField: Parsed<PersonId> = parsedBy(parsePersonId);
export const ledgerField: Parsed<LedgerId> = parsedBy(parseLedgerId);
export const codeField: Parsed<DeviceCode> = parsedBy(parseDeviceCode);
export const factIdField: Parsed<FactId> = parsedBy((text) => {
	const parsed = parseFactId(text);
	return parsed.ok ? ok(parsed.value.id) : parsed;
});
/** An ISO 4217 code and its exponent, which together are the currency. */
export const currencyField: Parsed<string> = parsedBy((text) =>
	isCurrencyCode(text) ? ok(text) : err('notACurrency')
);
export const exponentField: v.GenericSchema<number> = numberField(isExponent);
/** Minor units that one code is worth at most. */
export const capField: v.GenericSchema<number> = numberField(isAmount);
export const publicKeyField: Parsed<Uint8Array> = bytesField(PUBLIC_KEY_BYTES);
export const signatureField: Parsed<Uint8Array> = bytesField(SIGNATURE_BYTES);

function parsedBy<T>(parse: Parse<T>): Parsed<T> {
	return v.pipe(
		v.string(),
		v.rawTransform(({ dataset, addIssue, NEVER }) => {
			const parsed = parse(dataset.value);
			if (parsed.ok) return parsed.value;
			addIssue();
			return NEVER;
		})
	);
}

function numberField(isRight: (value: unknown) => boolean): v.GenericSchema<number> {
	return v.custom<number>(isRight);
}

function bytesField(length: number): Parsed<Uint8Array> {
	return parsedBy((text) => {
		const bytes = decodeBase64url(text);
		return bytes.ok && bytes.value.length === length ? bytes : err('wrongLength');
	});
}
