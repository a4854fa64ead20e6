/** What a browser calls itself, as its person would: `Chrome, Android`. Empty where it does not say. */
export function browserName(userAgent: string): string {
	const browser = BROWSERS.find(([mark]) => mark.test(userAgent))?.[1];
	const system = SYSTEMS.find(([mark]) => mark.test(userAgent))?.[1];
	return [browser, system].filter((word) => word !== undefined).join(', ');
}

type Marks = readonly (readonly [mark: RegExp, name: string])[];

/** The first that fits: most browsers name others besides themselves. */
const BROWSERS: Marks = [
	[/\bEdgA?\//, 'Edge'],
	[/\bOPR\//, 'Opera'],
	[/\bSamsungBrowser\//, 'Samsung Internet'],
	[/\bUCBrowser\//, 'UC Browser'],
	[/\bFirefox\/|\bFxiOS\//, 'Firefox'],
	[/\bChrome\/|\bCriOS\/|\bHeadlessChrome\//, 'Chrome'],
	[/\bSafari\//, 'Safari']
];
const SYSTEMS: Marks = [
	[/\bAndroid\b/, 'Android'],
	[/\biPhone\b/, 'iPhone'],
	[/\biPad\b/, 'iPad'],
	[/\bWindows\b/, 'Windows'],
	[/\bCrOS\b/, 'ChromeOS'],
	[/\bMac OS X\b/, 'Mac'],
	[/\bLinux\b/, 'Linux']
];
