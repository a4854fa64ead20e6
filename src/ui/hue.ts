const HUES = 6;
const INITIALS = 2;

/** One of the six quiet hues, 1 … 6; the same for the same words on every device. */
export function hueOf(words: string): number {
	let sum = 7;
	for (const letter of words.trim().toLowerCase())
		sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_521;
	return (sum % HUES) + 1;
}

/** The first letters of the first and last word; whole characters in every script. */
export function initialsOf(name: string): string {
	const words = name.trim().split(/\s+/u);
	const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
	const letters = ends.map((word) => Array.from(word ?? '')[0] ?? '');
	return letters.slice(0, INITIALS).join('').toLocaleUpperCase();
}
