/** TILL-8. The categories that have a name, each once: what was filed under none bears an empty one. */
export function categoriesIn(names: readonly (string | undefined)[]): readonly string[] {
	return [...new Set(names)].flatMap((name) => (name === undefined || name === '' ? [] : [name]));
}
