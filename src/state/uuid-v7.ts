import { encodeHex } from '#domain/bytes.ts';

/** UUID v7 (RFC 9562, 5.7): 48 bits of `atMs`, then `random`, whose 16 bytes are chance. */
export function uuidV7(atMs: number, random: Uint8Array): string {
	const bytes = Uint8Array.from(random.subarray(0, 16));
	const time = BigInt(atMs);
	for (let place = 0; place < 6; place++)
		bytes[place] = Number((time >> BigInt(40 - 8 * place)) & 0xffn);
	bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
	bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
	const hex = encodeHex(bytes);
	const ends = [0, 8, 12, 16, 20, 32] as const;
	return ends
		.slice(1)
		.map((end, part) => hex.slice(ends[part], end))
		.join('-');
}
