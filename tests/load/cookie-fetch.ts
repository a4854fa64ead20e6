/** What a browser does by itself: the session's cookie goes back to where it came from. */
export function withCookie(origin: string): typeof fetch {
	let cookie: string | undefined;
	return async (address, init) => {
		const headers = new Headers(init?.headers);
		headers.set('origin', origin);
		if (cookie !== undefined) headers.set('cookie', cookie);
		const response = await fetch(address, { ...init, headers });
		cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
		return response;
	};
}
