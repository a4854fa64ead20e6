import { hash, verify, type Options } from '@node-rs/argon2';
import { passwordForm, type Password } from '#domain/account/password.ts';
import { err, ok, type Result } from '#domain/result.ts';

export interface Passwords {
	/** The password's argon2id in PHC form. Refuses where too many others wait for theirs. */
	hash(password: Password): Promise<Result<string, 'busy'>>;
	/**
	 * Whether what was typed is the password. With no hash (no such account) it does the same work
	 * and says false.
	 */
	isRight(typed: string, passwordHash: string | undefined): Promise<Result<boolean, 'busy'>>;
}

/** OWASP's second choice for argon2id: 19 MiB, two passes, one lane. The algorithm is the default. */
const ARGON2: Options = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 };

/** Hashing has threads that files and look-ups share; it may take half of the four. */
const AT_ONCE_MAX = 2;
export const PASSWORDS_WAITING_MAX = 64;

/** A password nobody has: only how long it takes to compare with it counts. */
const NOBODYS_PASSWORD = 'no account has this password';

export interface PasswordsParts {
	readonly argon2?: { readonly hash: typeof hash; readonly verify: typeof verify };
	readonly waitingMax?: number;
}

export function createPasswords({
	argon2 = { hash, verify },
	waitingMax = PASSWORDS_WAITING_MAX
}: PasswordsParts = {}): Passwords {
	const inTurn = createTurns(waitingMax);
	let nobodys: Promise<string> | undefined;
	return {
		hash: (password) => inTurn(() => argon2.hash(password, ARGON2)),
		isRight: (typed, passwordHash) =>
			inTurn(async () => {
				nobodys ??= argon2.hash(NOBODYS_PASSWORD, ARGON2);
				const isSame = await argon2.verify(passwordHash ?? (await nobodys), passwordForm(typed));
				return isSame && passwordHash !== undefined;
			})
	};
}

type InTurn = <T>(work: () => Promise<T>) => Promise<Result<T, 'busy'>>;

function createTurns(waitingMax: number): InTurn {
	let running = 0;
	const waiting: (() => void)[] = [];
	return async (work) => {
		if (running >= AT_ONCE_MAX) {
			if (waiting.length >= waitingMax) return err('busy');
			// Who ends hands its place on, so that nobody who comes later goes first.
			await new Promise<void>((resolve) => waiting.push(resolve));
		} else running += 1;
		try {
			return ok(await work());
		} finally {
			const next = waiting.shift();
			if (next === undefined) running -= 1;
			else next();
		}
	};
}
