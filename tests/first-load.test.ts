import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Script } from 'node:vm';
import { expect, it } from 'vitest';

const BUILD = path.resolve(import.meta.dirname, '../build');

it('[SIZE-3] begins with plain scripts, and passes on what they hold, each thing once', () => {
	const page = readFileSync(path.join(BUILD, 'index.html'), 'utf8');
	expect(page).not.toMatch(/modulepreload|import\(/);
	const scripts = [...page.matchAll(/"(\/_app\/immutable\/assets\/(?:first|till)\.[^"]+\.js)"/g)];
	const files = scripts.map(([, url = '']) => url);
	expect(files.length).toBe(2);
	const held = files.map((file) => readFileSync(path.join(BUILD, file), 'utf8'));
	// A module's own syntax would end a plain script before it begins.
	for (const source of held) expect(() => new Script(source)).not.toThrow();
	const folder = path.join(BUILD, '_app/immutable/chunks');
	const chunks = readdirSync(folder).filter((name) => name.endsWith('.js'));
	const passing = chunks
		.map((name) => readFileSync(path.join(folder, name), 'utf8'))
		.flatMap((code) => /^export const\{[^}]*\}=daftar\.(\w+);/.exec(code)?.[1] ?? []);
	expect(passing.toSorted()).toEqual(['base', 'rolldown_runtime', 'shared', 'till']);
	for (const key of passing) expect(held.join('')).toContain(`daftar.${key}=(()=>{`);
	expect(existsSync(path.join(BUILD, 'index.html.br'))).toBe(true);
});
