/** The UTC day by which wrong claims of a business are counted. */
export function dayOf(now: number): string {
	return new Date(now).toISOString().slice(0, 10);
}
