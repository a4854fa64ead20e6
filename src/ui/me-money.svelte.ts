import { createContext } from 'svelte';
import { formatMinor, type MoneyForm, type SignShown } from './figures.ts';
import type { Shelf, Words } from './words.svelte.ts';

const HIDDEN_KEY = 'daftar.me.hidden';
const HIDDEN = '•••';

/** How a customer reads money: each shop has its own, and all of it may be hidden from others' eyes. */
export class MeMoney {
	readonly #words: Words;
	readonly #shelf: Shelf;
	isHidden = $state.raw(false);

	constructor(words: Words, shelf: Shelf) {
		this.#words = words;
		this.#shelf = shelf;
		this.isHidden = shelf.getItem(HIDDEN_KEY) === 'yes';
	}

	hide(isHidden: boolean): void {
		this.isHidden = isHidden;
		this.#shelf.setItem(HIDDEN_KEY, isHidden ? 'yes' : 'no');
	}

	/** Minor units as figures alone, `1,500`; dots while amounts are hidden. */
	figure(minor: number | bigint, form: MoneyForm, sign?: SignShown): string {
		if (this.isHidden) return HIDDEN;
		const { locale } = this.#words;
		return formatMinor(minor, form, sign === undefined ? { locale } : { locale, sign });
	}

	/** With its currency, `KES 1,500`, for a sentence. */
	named(minor: number | bigint, form: MoneyForm): string {
		return `${form.currency} ${this.figure(minor, form)}`;
	}
}

/** The customer's money, from the layout of his side down. */
export const [useMeMoney, provideMeMoney] = createContext<MeMoney>();
