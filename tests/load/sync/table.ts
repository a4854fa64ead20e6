import type { Row } from './bench.ts';

const HEADS = ['what', 'Daftar', 'y-websocket', 'Hocuspocus', 'wanted', 'met'] as const;

/** The rows as a Markdown table. */
export function formatTable(rows: readonly Row[]): string {
	const lines = rows.map(({ what, said, wanted, isMet }) => [
		what,
		said.daftar,
		said.yWebsocket,
		said.hocuspocus,
		wanted,
		isMet ? 'yes' : 'NO'
	]);
	return [HEADS, HEADS.map(() => '---'), ...lines]
		.map((cells) => `| ${cells.join(' | ')} |`)
		.join('\n');
}
