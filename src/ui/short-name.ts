const SHORT_MAX = 10;

/** Words before a name that are no name by themselves. */
const BEFORE_NAMES: ReadonlySet<string> = new Set(
	'mama baba mzee mr mrs ms dr sir haji hajj hajji um umm abu أم ام أبو ابو الحاج الحاجة حاج عم عمي'.split(
		' '
	)
);

/** What a person is called in a sentence on a button: a short name whole, else its first name. */
export function shortName(name: string): string {
	const words = name.trim().split(/\s+/u);
	if (name.length <= SHORT_MAX || words.length === 1) return name.trim();
	const first = words[0] ?? '';
	const isTitle = BEFORE_NAMES.has(first.toLowerCase().replace(/\.$/, '')) || first.length < 3;
	return words.slice(0, isTitle ? 2 : 1).join(' ');
}
