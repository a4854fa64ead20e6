import { groupBy } from '#domain/group-by.ts';
import type { ProductId } from '#domain/ids.ts';

/**
 * The till's first screen as it was last painted, drawn again at the next start before the app is
 * there, where nothing that it was drawn from has changed. Part of the page's first script
 * (`src/routes/first-script.ts`); the app reaches it by `firstView`.
 */
export interface FirstView {
	/** Settles when it is painted, or will not be; undefined where nothing is kept. */
	readonly drawn: Promise<void> | undefined;
	/** The app stands, or cannot: what was done on the view is done there, and the view goes. */
	stands(): void;
	/**
	 * From now on keeps what the app shows, whenever it stood still for two seconds, and `isShown` that
	 * these are the tiles it begins with and nothing else is open. Returns the way to stop.
	 */
	follow(isShown: (tiles: readonly ProductId[]) => boolean): () => void;
}

/** What a till's first screen is drawn from. */
export interface Seen {
	/** The same where the screen is the same. */
	readonly text: string;
	readonly tiles: readonly ProductId[];
}

export interface FirstViewParts {
	readonly shelf: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
	/** Which program draws it, and for whom: the same where it draws the same of the same. */
	readonly circumstances: () => readonly string[];
	/** What was read for this start; undefined where nothing was, or more than a screen shows. */
	readonly first: Promise<Seen | undefined>;
	readonly seeAgain: () => Promise<Seen | undefined>;
	/** Whether this start is the till's. */
	readonly isTill: boolean;
}

const NAME = 'daftarFirstView';

/** Under which it lies on the shelf. */
export const VIEW_KEY = 'daftar.view';

export function offerFirstView(view: FirstView): void {
	Reflect.set(window, NAME, view);
}

export function firstView(): FirstView | undefined {
	return Reflect.get(window, NAME) as FirstView | undefined;
}

/** A text, or an element: its name, its attributes and what is in it. */
type Drawing = string | readonly [string, Readonly<Record<string, string>>, readonly Drawing[]];

interface Kept {
	readonly circumstances: string;
	/** What it was drawn from. */
	readonly seen: string;
	/** How the page's root was marked. */
	readonly root: Readonly<Record<string, string>>;
	readonly drawing: Drawing;
}

const STILL_MS = 2_000;
/** A start that takes longer does not come to its end. */
const STANDS_WITHIN_MS = 20_000;
/** A device that answers later is asked by the app. */
const READ_WITHIN_MS = 1_000;
/** What is not of the first screen: news, sheets, and the tiles and chips beyond it. */
const LEFT_OUT = '.news, dialog, .tiles > li:nth-child(n + 16), .chips > :nth-child(n + 13)';
const ACTED_ON = 'a[href], button, input';
const SVG = 'http://www.w3.org/2000/svg';

export function createFirstView(parts: FirstViewParts): FirstView {
	const kept = parts.isTill ? keptFor(parts) : undefined;
	let hasStood = false;
	let handOver: (() => void) | undefined;

	function stands(): void {
		hasStood = true;
		handOver?.();
		handOver = undefined;
	}

	async function show(view: Kept): Promise<void> {
		const [seen] = await Promise.all([within(READ_WITHIN_MS, parts.first), bodyThere()]);
		if (hasStood || seen?.text !== view.seen) return;
		handOver = put(view);
		setTimeout(stands, STANDS_WITHIN_MS);
		await painted();
	}

	return {
		drawn: kept && show(kept).catch(() => undefined),
		stands,
		follow: (isShown) =>
			whenStill(() => {
				void keep(parts, isShown).catch(() => undefined);
			})
	};
}

/** What is kept for a start like this one: any other waits for no device to answer. */
function keptFor({ shelf, circumstances }: FirstViewParts): Kept | undefined {
	try {
		const kept = JSON.parse(shelf.getItem(VIEW_KEY) ?? 'null') as Kept | null;
		return kept?.circumstances === JSON.stringify(circumstances()) ? kept : undefined;
	} catch {
		// What a hand left there is none of ours.
		return undefined;
	}
}

/** Keeps what stands, for the next start. */
async function keep(
	{ shelf, circumstances, seeAgain }: FirstViewParts,
	isShown: (tiles: readonly ProductId[]) => boolean
): Promise<void> {
	const seen = await seeAgain();
	const app = document.querySelector('.app');
	if (seen === undefined || app === null || !isShown(seen.tiles)) return;
	const kept: Kept = {
		circumstances: JSON.stringify(circumstances()),
		seen: seen.text,
		root: attributesOf(document.documentElement),
		drawing: drawingOf(app)
	};
	try {
		shelf.setItem(VIEW_KEY, JSON.stringify(kept));
	} catch {
		// Where nothing more is kept the app draws the next start.
		shelf.removeItem(VIEW_KEY);
	}
}

/** Calls when nothing on the page has moved for a while, each time. Returns the way to stop. */
function whenStill(call: () => void): () => void {
	let timer = setTimeout(call, STILL_MS);
	const observer = new MutationObserver(() => {
		clearTimeout(timer);
		timer = setTimeout(call, STILL_MS);
	});
	observer.observe(document.documentElement, {
		subtree: true,
		childList: true,
		characterData: true,
		attributes: true
	});
	return () => {
		clearTimeout(timer);
		observer.disconnect();
	};
}

/** Puts a kept view on the page. Returns what hands over to the app, and takes the view away. */
function put({ root, drawing }: Kept): () => void {
	for (const [name, value] of Object.entries(root))
		document.documentElement.setAttribute(name, value);
	const view = document.createElement('div');
	view.append(drawn(drawing));
	document.body.append(view);
	const acts = hearActs(view);
	return () => {
		const likes = likesOf(view);
		const targets = acts.end().map(([act, on]) => [act, on ? likes(on) : document.body] as const);
		const { activeElement } = document;
		const focus = view.contains(activeElement) ? likes(activeElement) : undefined;
		const typed = [...view.querySelectorAll('input')].map((input) => {
			return [likes(input), input.value] as const;
		});
		view.remove();
		// SvelteKit is about to give the focus to the page that it brought.
		setTimeout(() => {
			// Each was found before the first is done: that may change what the others say.
			for (const [act, target] of targets) if (target !== undefined) act(target);
			for (const [input, text] of typed) type(input, text);
			focus?.focus({ preventScroll: true });
		});
	};
}

/** What was done, for the app to do; and on what, if not the page itself. */
type Act = readonly [act: (target: HTMLElement) => void, on: Element | undefined];

/** Hears what is done on the view, and the keys of the page, until the end, which answers it in order. */
function hearActs(view: HTMLElement): { end(): readonly Act[] } {
	const acts: Act[] = [];
	const onclick = (event: Event): void => {
		const on = actedOn(event);
		if (on === undefined || on instanceof HTMLInputElement) return;
		event.preventDefault();
		// Struck, as far as one sees.
		if (on.hasAttribute('aria-pressed')) on.setAttribute('aria-pressed', 'true');
		acts.push([
			(target) => {
				target.click();
			},
			on
		]);
	};
	const onkeydown = (event: KeyboardEvent): void => {
		acts.push([
			(target) => {
				target.dispatchEvent(again(event));
			},
			actedOn(event)
		]);
	};
	view.addEventListener('click', onclick);
	document.addEventListener('keydown', onkeydown, true);
	return {
		end() {
			document.removeEventListener('keydown', onkeydown, true);
			return acts;
		}
	};
}

function actedOn({ target }: Event): Element | undefined {
	return (target instanceof Element ? target.closest(ACTED_ON) : null) ?? undefined;
}

function attributesOf({ attributes }: Element): Readonly<Record<string, string>> {
	return Object.fromEntries([...attributes].map(({ name, value }) => [name, value]));
}

function drawingOf(element: Element): Drawing {
	const inside = [...element.childNodes].flatMap((node): Drawing[] => {
		if (node instanceof Text) return [node.data];
		return node instanceof Element && !node.matches(LEFT_OUT) ? [drawingOf(node)] : [];
	});
	return [element.localName, attributesOf(element), inside];
}

function drawn(drawing: Drawing, around?: string): Node {
	if (typeof drawing === 'string') return document.createTextNode(drawing);
	const [name, attributes, inside] = drawing;
	const space = name === 'svg' ? SVG : around;
	const element =
		space === undefined ? document.createElement(name) : document.createElementNS(space, name);
	for (const [attribute, value] of Object.entries(attributes)) {
		// As the app does it: a page's policy lets no attribute give style.
		if (attribute === 'style' && element instanceof HTMLElement) element.style.cssText = value;
		else element.setAttribute(attribute, value);
	}
	element.append(...inside.map((one) => drawn(one, space)));
	return element;
}

/** What in the app is the same as something on the view: says the same, and is as many-th of those. */
function likesOf(view: HTMLElement): (on: Element | null) => HTMLElement | undefined {
	const all = [...document.querySelectorAll(ACTED_ON)];
	const onView = groupBy(
		all.filter((one) => view.contains(one)),
		nameOf
	);
	const inApp = groupBy(
		all.filter((one) => !view.contains(one)),
		nameOf
	);
	return (on) => {
		if (on === null) return undefined;
		const name = nameOf(on);
		const found = inApp.get(name)?.[onView.get(name)?.indexOf(on) ?? -1];
		return found instanceof HTMLElement ? found : undefined;
	};
}

function nameOf(element: Element): string {
	const { localName, textContent } = element;
	return `${localName} ${element.getAttribute('href') ?? ''} ${textContent}`;
}

/** The same stroke, at its own time: by that a scanner is told from a hand. */
function again(stroke: KeyboardEvent): KeyboardEvent {
	const { key, code, shiftKey, ctrlKey, altKey, metaKey, timeStamp } = stroke;
	const how = { key, code, shiftKey, ctrlKey, altKey, metaKey, bubbles: true, cancelable: true };
	return Object.defineProperty(new KeyboardEvent('keydown', how), 'timeStamp', {
		value: timeStamp
	});
}

function type(input: HTMLElement | undefined, text: string): void {
	if (!(input instanceof HTMLInputElement) || text === '') return;
	input.value = text;
	input.dispatchEvent(new Event('input', { bubbles: true }));
}

async function bodyThere(): Promise<void> {
	if (document.readyState !== 'loading') return;
	await new Promise((resolve) => {
		document.addEventListener('DOMContentLoaded', resolve);
	});
}

/** When a frame with it has been painted: the next one begins behind it. */
async function painted(): Promise<void> {
	await new Promise((resolve) => {
		requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)));
	});
}

function within<T>(ms: number, answer: Promise<T>): Promise<T | undefined> {
	return Promise.race([
		answer,
		new Promise<undefined>((resolve) => {
			setTimeout(resolve, ms);
		})
	]);
}
