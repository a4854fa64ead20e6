import { defineConfig } from '@playwright/test';
import { launch } from './browser.ts';

export default defineConfig<object, { databaseUrl: string }>({
	testDir: '.',
	testMatch: '*.test.ts',
	globalSetup: './serve.ts',
	// Each test has a shop of its own, so that they may run beside each other.
	fullyParallel: true,
	workers: 2,
	retries: 0,
	// For one that hangs: how long it takes is the machine's own, and a shared one takes three times as long.
	timeout: 120_000,
	expect: { timeout: 10_000 },
	outputDir: '../../test-results',
	use: {
		// Known where tests run: the file is read there once more, after `serve.ts`.
		baseURL: process.env['DAFTAR_URL'] ?? '',
		databaseUrl: process.env['DAFTAR_DATABASE_URL'] ?? '',
		viewport: { width: 360, height: 640 },
		locale: 'en-KE',
		timezoneId: 'Africa/Nairobi',
		actionTimeout: 10_000,
		navigationTimeout: 10_000,
		// A trace of every action doubles the time; what a page showed when it failed is kept anyway.
		screenshot: 'only-on-failure',
		launchOptions: launch
	}
});
