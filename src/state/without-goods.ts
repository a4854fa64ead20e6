import type { SoldGoods } from './meta.ts';
import type { CartLine } from './till.svelte.ts';

/** What is left of a cart in another tab where so much of it was sold; lines have other keys there. */
export function withoutGoods(
	lines: readonly CartLine[],
	sold: readonly SoldGoods[]
): readonly CartLine[] {
	const left = new Map<string, number>();
	for (const goods of sold) {
		const name = nameOfGoods(goods);
		left.set(name, (left.get(name) ?? 0) + goods.quantityThousandths);
	}
	return lines.flatMap((line) => {
		const name = nameOfGoods(line);
		const taken = Math.min(line.quantityThousandths, left.get(name) ?? 0);
		left.set(name, (left.get(name) ?? 0) - taken);
		const quantityThousandths = line.quantityThousandths - taken;
		return quantityThousandths > 0 ? { ...line, quantityThousandths } : [];
	});
}

function nameOfGoods({ productId, name, unitPriceMinor }: SoldGoods): string {
	return JSON.stringify([productId, name, unitPriceMinor]);
}
