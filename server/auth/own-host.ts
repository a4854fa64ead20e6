/**
 * Whether a page of `origin` is one of the host that it asks, as the `Host` of its request says. Hosts
 * are compared, not whole origins: behind a proxy that ends TLS we do not see the scheme. Proxies write
 * a host in small or large letters, and with the port that the scheme has anyway.
 */
export function isOfHost(origin: string, host: string | undefined): boolean {
	if (host === undefined || !URL.canParse(origin)) return false;
	const page = new URL(origin);
	const asked = `${page.protocol}//${host}`;
	return URL.canParse(asked) && new URL(asked).host === page.host && page.host !== '';
}
