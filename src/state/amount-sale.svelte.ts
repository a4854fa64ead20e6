import type { Result } from '#domain/result.ts';
import type { SellRefusal, Sold } from './sell.ts';
import type { Sellable, Till } from './till.svelte.ts';

/** An amount as it was typed, for a product whose price is open or on its own. */
export interface TypedAmount {
	readonly minor: number;
	readonly name: string;
	readonly product?: Sellable | undefined;
}

/** What the amount sheet does with the open sale: one amount stands in it once, however often it is struck. */
export class AmountSale {
	readonly #till: Till;
	/** It is being sold, or the way leads on from there. */
	isTaking = $state.raw(false);
	/** There is nothing in the sale but this amount. */
	readonly isAlone = $derived.by(() => this.isTaking || this.#till.lines.length === 0);

	constructor(till: Till) {
		this.#till = till;
	}

	/** Answers whether it stands in the sale now: not where nothing was typed, or it is being taken. */
	add({ minor, name, product }: TypedAmount): boolean {
		if (minor === 0 || this.isTaking) return false;
		this.#till.addAmount(minor, name, product);
		return true;
	}

	/** Sells it. Until `goOn` has led on from there, nothing is added or taken once more. */
	async take(
		amount: TypedAmount,
		goOn: (sold: Result<Sold, SellRefusal> | undefined) => Promise<void>
	): Promise<void> {
		if (!this.add(amount)) return;
		this.isTaking = true;
		try {
			await goOn(await this.#till.takeCash(this.#till.cashMinor));
		} finally {
			this.isTaking = false;
		}
	}
}
