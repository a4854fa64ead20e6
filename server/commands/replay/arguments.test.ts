import { expect, it } from 'vitest';
import { parseReplayArguments } from './arguments.ts';

it('takes the habits of a month where nothing else is said', () => {
	expect(parseReplayArguments(['--from', 'a.csv'])).toEqual({
		ok: true,
		value: { files: ['a.csv'], devices: 3, offline: 0.3, seed: 1, url: null }
	});
});

it('takes everything that may be said', () => {
	const given = '--from a.csv --from b.csv.gz --devices 1 --offline 1 --seed 0 --url http://h:1/';
	expect(parseReplayArguments(given.split(' '))).toEqual({
		ok: true,
		value: { files: ['a.csv', 'b.csv.gz'], devices: 1, offline: 1, seed: 0, url: 'http://h:1' }
	});
	expect(parseReplayArguments(['--help'])).toEqual({ ok: true, value: 'help' });
});

it.each([
	['', /--from/],
	['--from', /from/],
	['--from a --devices 0', /--devices must be 1 to 12, not "0"/],
	['--from a --devices 13', /--devices/],
	['--from a --devices 3.5', /--devices/],
	['--from a --offline 1.1', /--offline must be a part/],
	['--from a --offline=-0.1', /--offline/],
	['--from a --offline x', /--offline/],
	['--from a --seed=-1', /--seed/],
	['--from a --seed 4294967296', /--seed/],
	['--from a --url here', /--url/],
	['--from a --url ftp://h', /--url/],
	['--from a --url http://h/shop', /--url/],
	['--from a --speed 3', /--speed/],
	['a.csv', /a\.csv/]
])('refuses %j in words', (given, sentence) => {
	const parsed = parseReplayArguments(given.split(' ').filter((word) => word !== ''));
	expect(parsed).toEqual({ ok: false, error: expect.stringMatching(sentence) as string });
});
