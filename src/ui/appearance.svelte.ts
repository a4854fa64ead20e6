import { createContext } from 'svelte';
import type { Shelf } from './words.svelte.ts';

/** The six cloths of `tokens.css`. */
export const ACCENTS = ['indigo', 'lagoon', 'aubergine', 'bark', 'slate', 'ink'] as const;
export type Accent = (typeof ACCENTS)[number];
export const THEMES = ['device', 'light', 'dark'] as const;
/** `device` follows the phone's own setting. */
export type Theme = (typeof THEMES)[number];

const THEME_KEY = 'daftar.theme';

/** How this device looks: light or dark by its person, the cloth by the shop. */
export class Appearance {
	readonly #shelf: Shelf;
	theme = $state.raw<Theme>('device');
	accent = $state.raw<Accent>('indigo');

	constructor(shelf: Shelf) {
		this.#shelf = shelf;
		this.theme = THEMES.find((theme) => theme === shelf.getItem(THEME_KEY)) ?? 'device';
	}

	useTheme(theme: Theme): void {
		this.theme = theme;
		this.#shelf.setItem(THEME_KEY, theme);
	}

	/** Takes the shop's cloth; a name we do not know leaves the cloth as it is. */
	useAccent(name: string | undefined): void {
		this.accent = ACCENTS.find((accent) => accent === name) ?? this.accent;
	}
}

/** The looks of this page, from the root layout down. */
export const [useAppearance, provideAppearance] = createContext<Appearance>();
