import * as encoding from 'lib0/encoding';
import * as syncProtocol from 'y-protocols/sync';
import * as Y from 'yjs';
import { appendFact } from '#documents/facts.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { SaleFact } from '#domain/fact/fact.ts';

const MESSAGE_SYNC = 0;

/**
 * The bytes of the message in which a device tells the relay of one sale, in a journal that the
 * device wrote a thousand facts to before, as a random 53-bit client. Names are left out.
 */
export function wireBytesOf(sale: SaleFact): number {
	const doc = new Y.Doc();
	doc.clientID = Number.MAX_SAFE_INTEGER - 1;
	for (let n = 1; n <= 1_000; n++) appendFact(doc, { id: `A-${String(n)}`, text: '' });

	let bytes = 0;
	doc.on('update', (update: Uint8Array) => {
		const encoder = encoding.createEncoder();
		encoding.writeVarUint(encoder, MESSAGE_SYNC);
		syncProtocol.writeUpdate(encoder, update);
		bytes += encoding.length(encoder);
	});
	const appended = appendFact(doc, { id: sale.id, text: encodeFact(sale) });
	if (!appended.ok) throw new Error('the sale was not written');
	const names = sale.lines.reduce(
		(sum, { name }) => sum + new TextEncoder().encode(name).length,
		0
	);
	return bytes - names;
}
