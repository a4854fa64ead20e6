import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import { nextDeviceCode, parseDeviceCode, type BusinessId, type DeviceCode } from '#domain/ids.ts';

/** So many devices may have joined between a backup and its restore: no device uses up all codes by naming the last. */
const BELIEVED_MAX = 500;

/**
 * KEEP-16. The code that a business gave out last, as far as is known by now: at least each of `told`, which
 * devices that are let in have named since a restore, but for one that is further behind what was
 * given out before it than is likely. Moves it there; undefined where there is no such business.
 */
export async function raiseDeviceCode(
	sql: Sql,
	business: BusinessId,
	told: readonly string[]
): Promise<DeviceCode | undefined> {
	const [row] = await sql<{ last: string; before: string | null }[]>`
		select last_device_code as last, (
			select code from device
			where device.business = ${business}
				and joined_epoch < (select max(epoch) from database_epoch)
			order by length(code) desc, code collate "C" desc limit 1
		) as before
		from business where business = ${business} for update`;
	if (row === undefined) return undefined;
	const last = codeIn(row.last);
	const most = (row.before === null ? 0 : ordinalOf(codeIn(row.before))) + BELIEVED_MAX;
	const ordinals = told.flatMap((code) => {
		const parsed = parseDeviceCode(code);
		const ordinal = parsed.ok ? ordinalOf(parsed.value) : 0;
		return ordinal > most ? [] : ordinal;
	});
	let raised = last;
	for (let left = Math.max(0, ...ordinals) - ordinalOf(last); left > 0; left -= 1) {
		raised = nextDeviceCode(raised);
	}
	if (raised === last) return last;
	await sql`update business set last_device_code = ${raised} where business = ${business}`;
	return raised;
}

function codeIn(text: string): DeviceCode {
	const parsed = parseDeviceCode(text);
	assert(parsed.ok, 'a row holds a device code');
	return parsed.value;
}

const LETTERS = 26;

/** `A` is 1, `Z` 26, `AA` 27. */
function ordinalOf(code: DeviceCode): number {
	return Array.from(code).reduce((sum, letter) => sum * LETTERS + letter.charCodeAt(0) - 0x40, 0);
}
