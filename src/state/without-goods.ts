import type { SoldGoods } from './meta.ts';

/** What is left of a cart in another tab where so much of it was sold; lines have other keys there. */
export function withoutGoods<Line extends SoldGoods>(
	lines: readonly Line[],
	sold: readonly SoldGoods[]
): readonly Line[] {
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
