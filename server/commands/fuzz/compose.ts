import { CLIENTS, meantText, type FactSeed } from './corpus.ts';
import {
	deletedUnder,
	gc,
	handUpdate,
	nestedUnder,
	skip,
	textBehind,
	textUnder,
	type HandDeletion,
	type HandSection,
	type HandStruct
} from './hand-update.ts';
import { mutateText, pick, type Draw } from './mutate.ts';

/** What a composed update refers to: how far each client of the document is. */
export interface Standing {
	readonly facts: readonly FactSeed[];
	readonly clockOf: (client: number) => number;
}

/** Whether this choice is a wrong one: of so many one, and none where it is 0. */
type Odd = () => boolean;

const RATES = [0, 0, 30, 6] as const;

/**
 * An update of well-formed structs whose sense is drawn: own and foreign clients at true and false
 * clocks, own and foreign keys, texts right and wrong, deletions of all sorts. Half of them are as
 * an honest device might send them, so that much is let through and the document grows.
 */
export function composeUpdate(standing: Standing, draw: Draw): Uint8Array {
	const rate = pick(draw, RATES);
	const odd = (): boolean => rate > 0 && draw(rate) === 0;
	const clients = new Set(Array.from({ length: 1 + draw(3) }, () => drawClient(odd, draw)));
	const sections = Array.from(clients)
		.sort((a, b) => b - a)
		.map((client): HandSection => {
			const clock = drawClock(standing.clockOf(client), odd, draw);
			const structs = Array.from({ length: 1 + draw(4) }, () => drawStruct(standing, odd, draw));
			return { client, clock, structs };
		});
	return handUpdate(sections, drawDeletions(odd, draw));
}

function drawClient(odd: Odd, draw: Draw): number {
	const { A, B, C, relay, own, fresh } = CLIENTS;
	if (odd()) return pick(draw, [44, 5, A, C, relay]);
	return pick(draw, [own, B, own + 1 + draw(50), 1 + draw(4), fresh + draw(99)]);
}

function drawClock(next: number, odd: Odd, draw: Draw): number {
	return odd() ? Math.max(0, pick(draw, [0, next - 1, next + 1, 2 ** 31, draw(20)])) : next;
}

function drawStruct(standing: Standing, odd: Odd, draw: Draw): HandStruct {
	const key = drawKey(odd, draw);
	const text = drawText(standing, key, { odd, draw });
	if (odd()) return oddStruct({ key, text }, odd, draw);
	// A twin that lost has no text any more.
	return draw(40) === 0 ? deletedUnder(key) : textUnder(key, text);
}

function oddStruct(
	{ key, text }: { readonly key: string; readonly text: string },
	odd: Odd,
	draw: Draw
): HandStruct {
	switch (draw(8)) {
		case 0:
			return gc(1 + draw(2));
		case 1:
			return skip(1);
		case 2:
			return nestedUnder(key, 1 + draw(20));
		case 3:
			return deletedUnder(key, 1 + draw(2));
		case 4:
			return textUnder(key, text, pick(draw, ['g', '', '__proto__', 'F']));
		default:
			return textBehind([drawClient(odd, draw), draw(14)], text);
	}
}

/** Of few numbers, so that twins and forks come about. */
function drawKey(odd: Odd, draw: Draw): string {
	if (!odd()) return `B-${String(1 + draw(60))}`;
	const his = `A-${String(1 + draw(14))}`;
	return pick(draw, [his, his, 'C-1', '0.3-1', '0.4-1', 'p1-1', '', 'B-0', '__proto__']);
}

function drawText(
	{ facts }: Standing,
	key: string,
	{ odd, draw }: { readonly odd: Odd; readonly draw: Draw }
): string {
	const dash = key.lastIndexOf('-');
	const code = key.slice(0, Math.max(0, dash));
	const number = Number(key.slice(dash + 1));
	const n = Number.isSafeInteger(number) ? number : 1;
	const text = odd() ? (pick(draw, facts)?.(code, n) ?? '') : meantText(facts, code, n);
	return odd() ? mutateText(text, draw) : text;
}

function drawDeletions(odd: Odd, draw: Draw): readonly HandDeletion[] {
	if (odd()) return [[drawClient(odd, draw), draw(14), draw(3)]];
	// What every honest device tells: the smaller of two twins.
	return draw(4) === 0 ? [[CLIENTS.A, 1, 1]] : [];
}
