/** How many bytes a whole number takes as a variable-length unsigned one, seven bits to a byte. */
export function varUintLength(value: number): number {
	let length = 1;
	for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
	return length;
}

/** Writes the number from `at` on; returns where it ends. */
export function putVarUint(bytes: Uint8Array, at: number, value: number): number {
	let end = at;
	let rest = value;
	for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
		bytes[end] = 0x80 | (rest % 0x80);
		end += 1;
	}
	bytes[end] = rest;
	return end + 1;
}

/** Writes the bytes from `at` on; returns where they end. */
export function putBytes(into: Uint8Array, at: number, bytes: Uint8Array): number {
	into.set(bytes, at);
	return at + bytes.byteLength;
}
