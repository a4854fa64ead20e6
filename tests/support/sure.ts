import type { Result } from '#domain/result.ts';

/** The value of what cannot be refused where a test says it. */
export function sure<T>(result: Result<T, unknown>): T {
	if (!result.ok) throw new Error(`not what was meant: ${JSON.stringify(result.error)}`);
	return result.value;
}
