import path from 'node:path';
import { expect, it } from 'vitest';
import { NO_GATEWAYS } from './gateways/gateway-settings.ts';
import { parseEnvironment } from './environment.ts';

it('needs nothing to be set', () => {
	expect(parseEnvironment({})).toEqual({
		ok: true,
		value: {
			port: 3000,
			host: undefined,
			dataDir: path.resolve('data'),
			databaseUrl: undefined,
			busUrl: undefined,
			secret: undefined,
			logLevel: 'warn',
			gateways: NO_GATEWAYS,
			proxies: 0,
			isProduction: false
		}
	});
});

it('takes what is set, and counts an empty variable as not set', () => {
	const url = 'postgresql://me:pass@db.local:5433/shop';
	const set = { PORT: '0', HOST: '127.0.0.1', DATA_DIR: '/srv/shop', DATABASE_URL: url };
	const more = { DAFTAR_SECRET: 'é'.repeat(16), LOG_LEVEL: 'info', PROXIES: '2' };
	const BUS_URL = 'redis://cache.local:6379/1';
	expect(parseEnvironment({ ...set, ...more, BUS_URL, NODE_ENV: 'production' })).toEqual({
		ok: true,
		value: {
			port: 0,
			host: '127.0.0.1',
			dataDir: '/srv/shop',
			databaseUrl: url,
			busUrl: 'redis://cache.local:6379/1',
			secret: more.DAFTAR_SECRET,
			logLevel: 'info',
			gateways: NO_GATEWAYS,
			proxies: 2,
			isProduction: true
		}
	});
	const empty = { PORT: '', HOST: ' ', DATA_DIR: '', DATABASE_URL: '', DAFTAR_SECRET: '' };
	expect(parseEnvironment(empty)).toEqual(parseEnvironment({}));
});

it.each(['65536', '-1', '80.5', '0x50', '１２', 'http'])('refuses %j as a port', (PORT) => {
	expect(parseEnvironment({ PORT })).toEqual({
		ok: false,
		error: { variable: 'PORT', sentence: `PORT must be a number from 0 to 65535, not "${PORT}".` }
	});
});

it('takes the last port there is', () => {
	expect(parseEnvironment({ PORT: '65535' })).toMatchObject({ ok: true, value: { port: 65535 } });
});

it.each(['http://u:secret@h', 'redis', 'redis://u:secret@h:port'])(
	'refuses the bus %j and does not repeat its password',
	(BUS_URL) => {
		const parsed = parseEnvironment({ BUS_URL });
		expect(parsed).toMatchObject({ ok: false, error: { variable: 'BUS_URL' } });
		expect(JSON.stringify(parsed)).not.toContain('secret');
	}
);

it.each(['mysql://u:secret@h/d', 'secret', 'postgres://u:secret@h:port/d'])(
	'refuses the database %j and does not repeat its password',
	(DATABASE_URL) => {
		const parsed = parseEnvironment({ DATABASE_URL });
		expect(parsed).toMatchObject({ ok: false, error: { variable: 'DATABASE_URL' } });
		expect(JSON.stringify(parsed)).not.toContain('secret');
	}
);

it('refuses a secret of 31 bytes, not one of 32', () => {
	expect(parseEnvironment({ DAFTAR_SECRET: 's'.repeat(31) })).toEqual({
		ok: false,
		error: { variable: 'DAFTAR_SECRET', sentence: 'DAFTAR_SECRET must have at least 32 bytes.' }
	});
	expect(parseEnvironment({ DAFTAR_SECRET: 's'.repeat(32) }).ok).toBe(true);
});

it('refuses a log level that does not exist', () => {
	expect(parseEnvironment({ LOG_LEVEL: 'loud' })).toMatchObject({
		ok: false,
		error: { variable: 'LOG_LEVEL' }
	});
});

it('refuses what is no number of proxies, and a gateway that is half set', () => {
	for (const PROXIES of ['-1', '10', 'all']) {
		expect(parseEnvironment({ PROXIES })).toMatchObject({
			ok: false,
			error: { variable: 'PROXIES' }
		});
	}
	expect(parseEnvironment({ SMS_GATEWAY: 'twilio' })).toMatchObject({
		ok: false,
		error: { variable: 'SMS_ACCOUNT', sentence: 'SMS_ACCOUNT must name the account at twilio.' }
	});
});
