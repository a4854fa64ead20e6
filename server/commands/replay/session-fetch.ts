/** A `fetch` that keeps cookies and says its origin, as a browser's page does. */
export function createSessionFetch(origin: string): typeof globalThis.fetch {
	const cookies = new Map<string, string>();
	return async (input, init) => {
		const headers = new Headers(init?.headers);
		headers.set('origin', origin);
		if (cookies.size > 0) headers.set('cookie', Array.from(cookies, spelled).join('; '));
		const response = await fetch(input, { ...init, headers });
		for (const line of response.headers.getSetCookie()) {
			const [pair = ''] = line.split(';');
			const at = pair.indexOf('=');
			cookies.set(pair.slice(0, at).trim(), pair.slice(at + 1).trim());
		}
		return response;
	};
}

function spelled([name, value]: readonly [string, string]): string {
	return `${name}=${value}`;
}
