const SHELF_KEY = 'daftar.link';

/** An invite that is taken up once its person has an account; it lives as long as the tab. */
export function keepPendingLink(token: string): void {
	sessionStorage.setItem(SHELF_KEY, token);
}

export function hasPendingLink(): boolean {
	return sessionStorage.getItem(SHELF_KEY) !== null;
}

/** The invite that waits, which then waits no more; empty where there is none. */
export function takePendingLink(): string {
	const token = sessionStorage.getItem(SHELF_KEY) ?? '';
	sessionStorage.removeItem(SHELF_KEY);
	return token;
}
