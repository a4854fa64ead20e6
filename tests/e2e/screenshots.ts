// `npm run screenshots`: every screen as a picture, in both languages and themes, on a phone and a
// desktop, for a designer to look at. Serves the app that was built last.

import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { launch } from './browser.ts';
import { signUpCustomer } from './people.ts';
import {
	CUSTOMER_SCREENS,
	EMPTY_SCREENS,
	furnishShop,
	show,
	speak,
	type Screen
} from './screens.ts';
import serve from './serve.ts';
import { openTill } from './stand.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../test-results/screenshots');
const LANGUAGES = ['en', 'ar'] as const;
const SIZES = [
	{ size: 'phone', viewport: { width: 360, height: 640 } },
	{ size: 'desktop', viewport: { width: 1280, height: 800 } }
] as const;

const stop = await serve();
const browser = await chromium.launch(launch);
try {
	await rm(FOLDER, { recursive: true, force: true });
	await mkdir(FOLDER, { recursive: true });
	await takeAll(furnishShop);
	await takeAll(async (page) => {
		await openTill(page);
		return EMPTY_SCREENS;
	});
	await takeAll(async (page) => {
		await signUpCustomer(page);
		return CUSTOMER_SCREENS;
	});
} finally {
	await browser.close();
	await stop();
}

async function takeAll(prepare: (page: Page) => Promise<readonly Screen[]>): Promise<void> {
	const context = await browser.newContext({
		baseURL: process.env['DAFTAR_URL'] ?? '',
		viewport: SIZES[0].viewport,
		locale: 'en-KE',
		timezoneId: 'Africa/Nairobi',
		reducedMotion: 'reduce'
	});
	const page = await context.newPage();
	const screens = await prepare(page);
	for (const language of LANGUAGES) {
		await speak(page, language);
		for (const screen of screens) await take(page, screen, language);
	}
	await context.close();
}

async function take(page: Page, screen: Screen, language: 'en' | 'ar'): Promise<void> {
	await page.setViewportSize(SIZES[0].viewport);
	await show(page, screen, language);
	for (const { size, viewport } of SIZES) {
		await page.setViewportSize(viewport);
		for (const colorScheme of ['light', 'dark'] as const) {
			await page.emulateMedia({ colorScheme });
			const name = `${screen.name}-${language}-${size}-${colorScheme}.png`;
			await page.screenshot({ path: path.join(FOLDER, name) });
		}
	}
}
