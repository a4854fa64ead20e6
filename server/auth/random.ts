import { randomBytes, randomUUID } from 'node:crypto';

/** Chance, handed in: unguessable bytes and UUIDs v4. */
export interface Random {
	bytes(length: number): Uint8Array;
	uuid(): string;
}

export const systemRandom: Random = {
	bytes: (length) => new Uint8Array(randomBytes(length)),
	uuid: () => randomUUID()
};
