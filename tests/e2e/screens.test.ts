import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';
import { signUpCustomer } from './people.ts';
import {
	CUSTOMER_SCREENS,
	EMPTY_SCREENS,
	furnishShop,
	show,
	speak,
	type Screen
} from './screens.ts';
import { expect, openTill, test, type Language } from './stand.ts';

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const require = createRequire(import.meta.url);
// The one that comes with Playwright's adapter, which would open a page of its own for each look.
const AXE = readFileSync(
	createRequire(require.resolve('@axe-core/playwright')).resolve('axe-core/axe.min.js'),
	'utf8'
);
const MAIN = [
	'sell',
	'charge',
	'customers',
	'customer',
	'customer-gave',
	'products',
	'today',
	'more'
];
const PHONE = { width: 360, height: 640 };
const DESKTOP = { width: 1280, height: 800 };

for (const language of ['en', 'ar'] as const) {
	test(`every screen of a furnished shop is right in ${language} (N5, N6)`, async ({ page }) => {
		const faults = listen(page);
		const screens = await furnishShop(page);
		await speak(page, language);
		expect(await wrongOn(page, screens, language)).toEqual([]);
		expect(faults).toEqual([]);
	});

	test(`every screen of an empty phone and of a customer is right in ${language} (N5, N6)`, async ({
		page
	}) => {
		const faults = listen(page);
		await openTill(page);
		await speak(page, language);
		expect(await wrongOn(page, EMPTY_SCREENS, language)).toEqual([]);
		await speak(page, 'en');
		await signUpCustomer(page);
		await speak(page, language);
		expect(await wrongOn(page, CUSTOMER_SCREENS, language)).toEqual([]);
		expect(faults).toEqual([]);
	});
}

test('the main screens fit a phone with text at 200 % (N5, N6)', async ({ page }) => {
	const screens = await furnishShop(page);
	const wrong: string[] = [];
	for (const language of ['en', 'ar'] as const) {
		await speak(page, language);
		for (const screen of screens.filter(({ name }) => MAIN.includes(name))) {
			await show(page, screen, language);
			const over = await page.evaluate(() => {
				document.documentElement.style.fontSize = '200%';
				return document.documentElement.scrollWidth - document.documentElement.clientWidth;
			});
			if (over > 0) wrong.push(`${screen.name} in ${language}: ${String(over)} px too wide`);
			for (const dock of await page.locator('.dock .button:visible').all())
				await dock.scrollIntoViewIfNeeded();
		}
	}
	expect(wrong).toEqual([]);
});

/** What breaks a rule, as `screen at size in theme: rule at element`. */
async function wrongOn(
	page: Page,
	screens: readonly Screen[],
	language: Language
): Promise<readonly string[]> {
	const wrong: string[] = [];
	for (const screen of screens) {
		await page.setViewportSize(PHONE);
		await show(page, screen, language);
		for (const size of [PHONE, DESKTOP]) {
			await page.setViewportSize(size);
			for (const colorScheme of themesOf(language, size)) {
				await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
				const at = `${screen.name} at ${String(size.width)} in ${colorScheme}`;
				// Colours change with the theme, everything else with the size.
				const found = await violations(
					page,
					colorScheme === 'light' ? undefined : 'color-contrast'
				);
				wrong.push(...found.map((rule) => `${at}: ${rule}`));
			}
			const over = await page.evaluate(
				() => document.documentElement.scrollWidth - document.documentElement.clientWidth
			);
			if (over > 0)
				wrong.push(`${screen.name} at ${String(size.width)}: ${String(over)} px too wide`);
		}
	}
	return wrong;
}

/** What a rule finds by theme or size is the same in every language: another one is looked at as most see it. */
function themesOf(language: Language, size: typeof PHONE): readonly ('light' | 'dark')[] {
	if (language === 'en') return ['light', 'dark'];
	return size === PHONE ? ['light'] : [];
}

/** As much of axe as is asked of it here. */
interface Axe {
	run(options: object): Promise<{
		readonly violations: readonly {
			readonly id: string;
			readonly nodes: readonly {
				readonly target: readonly string[];
				readonly failureSummary?: string;
			}[];
		}[];
	}>;
}

async function violations(page: Page, rule?: string): Promise<readonly string[]> {
	if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
	const asked =
		rule === undefined ? { type: 'tag', values: WCAG } : { type: 'rule', values: [rule] };
	return page.evaluate(async (runOnly) => {
		const axe = Reflect.get(window, 'axe') as Axe;
		const { violations: found } = await axe.run({ runOnly, resultTypes: ['violations'] });
		return found.flatMap(({ id, nodes }) =>
			nodes.map(
				({ target, failureSummary = '' }) => `${id} at ${target.join(' ')} ${failureSummary}`
			)
		);
	}, asked);
}

/** Collects what no page may say or ask for: errors, and anything of another origin. */
function listen(page: Page): readonly string[] {
	const faults: string[] = [];
	page.on('console', (message) => {
		// An address that leads nowhere is one of the screens, and the router says so itself.
		const isNowhere = message.text().includes('Not found: /shop/nowhere');
		if (message.type() === 'error' && !isNowhere) faults.push(`console: ${message.text()}`);
	});
	page.on('pageerror', (error) => faults.push(`fault: ${error.message}`));
	page.on('request', (request) => {
		const { origin, protocol } = new URL(request.url());
		const isOwn = origin === process.env['DAFTAR_URL'] || ['data:', 'blob:'].includes(protocol);
		if (!isOwn) faults.push(`request: ${request.url()}`);
	});
	return faults;
}
