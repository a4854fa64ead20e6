import { parse, TYPE, type MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import english from './en.json';

const folder = import.meta.dirname;
const others = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'en.json');

/** The names of a sentence's arguments, with what each is: `unsent:plural`. */
function argumentsOf(elements: readonly MessageFormatElement[]): string[] {
	return elements.flatMap((element): string[] => {
		if (element.type === TYPE.literal || element.type === TYPE.pound) return [];
		if (element.type === TYPE.tag) return argumentsOf(element.children);
		const inner =
			element.type === TYPE.plural || element.type === TYPE.select
				? Object.values(element.options).flatMap(({ value }) => argumentsOf(value))
				: [];
		return [`${element.value}:${TYPE[element.type]}`, ...inner];
	});
}

function formOf(messages: Readonly<Record<string, string>>): Record<string, string[]> {
	const entries = Object.entries(messages).map(([key, text]): [string, string[]] => [
		key,
		[...new Set(argumentsOf(parse(text)))].sort()
	]);
	return Object.fromEntries(entries);
}

describe.each(others)('%s', (name) => {
	const messages = JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as Record<string, string>;

	it('[WORDS-1] says exactly what en.json says, with the same arguments', () => {
		expect(formOf(messages)).toEqual(formOf(english));
	});

	it('[WORDS-2] leaves no sentence empty', () => {
		expect(Object.entries(messages).filter(([, text]) => text.trim() === '')).toEqual([]);
	});
});

it('[WORDS-3] names a sentence once', () => {
	const text = readFileSync(`${folder}/en.json`, 'utf8');
	const names = [...text.matchAll(/^\t"([^"]+)":/gm)].map((match) => match[1]);
	expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
	expect(names.length).toBe(Object.keys(english).length);
});

it('[WORDS-6] says every sentence somewhere', () => {
	const room = path.resolve(folder, '../..');
	const source = readdirSync(room, { recursive: true, encoding: 'utf8' })
		.filter((name) => /(?<!\.test)\.(ts|svelte)$/.test(name))
		.map((name) => readFileSync(path.join(room, name), 'utf8'))
		.join('\n');
	const quoted = new Set(source.matchAll(/['"]([\w.]+)['"]/g).map(([, name]) => name));
	// `me.step.${way}`: each whose name begins so.
	const begun = Array.from(source.matchAll(/`([\w.]+\.)\$\{/g), ([, start = '']) => start);
	const unsaid = Object.keys(english).filter(
		(name) => !quoted.has(name) && !begun.some((start) => name.startsWith(start))
	);
	expect(unsaid).toEqual([]);
});
