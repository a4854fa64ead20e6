declare module '*.json?words' {
	/** Where the language's sentences are fetched from, parsed when Daftar was built. */
	const url: string;
	export default url;
}

declare namespace App {
	/** A sheet is open: it stands in the history, so that Back closes it and not the app. */
	interface PageState {
		sheet?: string;
		/** The fact that was just written, for what one does after it. */
		written?: string;
	}
}
