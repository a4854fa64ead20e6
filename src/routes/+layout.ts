import { endSleepingPages } from '#state/sleeping-pages.ts';
import { Appearance } from '#ui/appearance.svelte.ts';
import { Words } from '#ui/words.svelte.ts';

export const ssr = false;
export const prerender = false;

export async function load({ fetch }: { fetch: typeof globalThis.fetch }): Promise<{
	words: Words;
	appearance: Appearance;
}> {
	endSleepingPages();
	const words = new Words({
		shelf: localStorage,
		preferred: navigator.languages,
		load: async (url) => {
			const response = await fetch(url);
			if (!response.ok) throw new Error(`no words at ${url}: ${String(response.status)}`);
			return response.json() as Promise<unknown>;
		}
	});
	await words.begin();
	return { words, appearance: new Appearance(localStorage) };
}
