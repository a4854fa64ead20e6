import * as encoding from 'lib0/encoding';
import { writeUpdate } from 'y-protocols/sync';
import * as Y from 'yjs';
import { appendFact } from '#documents/facts.ts';
import type { SaleFact } from '#domain/fact/fact.ts';
import { factId, productIdOf } from '#domain/ids.ts';
import { wireBytesOf } from '#tests/support/wire-bytes.ts';
import type { Bench, Row } from './bench.ts';

const WANTED_BYTES = 160;
const EARLIER = 1_000;

/** A shop of some age: numbers of four digits. */
const SALE: SaleFact = {
	id: factId('A', 1_271),
	code: 'A',
	n: 1_271,
	at: { wall: Date.UTC(2026, 10, 20, 9, 30, 12, 345), counter: 0 },
	on: '2026-11-20',
	by: 1,
	kind: 'sale',
	receipt: 1_270,
	lines: [
		{
			productId: productIdOf(factId('A', 1_021), 0),
			name: 'Lantern',
			quantityThousandths: 6_000,
			unitPriceMinor: 255,
			totalMinor: 1_530
		},
		{
			productId: productIdOf(factId('A', 1_021), 1),
			name: 'Holder',
			quantityThousandths: 1_000,
			unitPriceMinor: 339,
			totalMinor: 339
		}
	],
	tenders: [{ kind: 'cash', minor: 2_000 }]
};

/** Row 7: the message in which a device tells of one cash sale of two lines; names are not counted. */
export function measureWire({ tell }: Bench): Promise<readonly Row[]> {
	tell('bytes on the wire');
	const ours = wireBytesOf(SALE);
	const nested = nestedBytes();
	const peer = `${String(nested)} B as nested Yjs types`;
	return Promise.resolve([
		{
			what: 'a cash sale of two lines on the wire, names not counted',
			said: {
				daftar: `${String(ours)} B`,
				yWebsocket: peer,
				hocuspocus: `${peer}, and the name of its document`
			},
			wanted: '≤ 160 B',
			isMet: ours <= WANTED_BYTES,
			figures: { daftar: ours, nested }
		}
	]);
}

/** The same sale as one would write it with Yjs: maps and arrays with short names. */
function nestedBytes(): number {
	const doc = new Y.Doc();
	doc.clientID = Number.MAX_SAFE_INTEGER - 1;
	for (let n = 1; n <= EARLIER; n += 1) appendFact(doc, { id: factId('A', n), text: '' });
	let bytes = 0;
	doc.on('update', (update: Uint8Array) => {
		const encoder = encoding.createEncoder();
		encoding.writeVarUint(encoder, 0);
		writeUpdate(encoder, update);
		bytes += encoding.length(encoder);
	});
	doc.transact(() => {
		const sale = new Y.Map<unknown>();
		doc.getMap('sales').set(SALE.id, sale);
		for (const [name, value] of [
			['at', SALE.at.wall],
			['by', SALE.by],
			['no', SALE.receipt]
		] as const) {
			sale.set(name, value);
		}
		const lines = new Y.Array<Y.Map<unknown>>();
		sale.set('lines', lines);
		lines.push(
			SALE.lines.map(
				({ productId, name, quantityThousandths, unitPriceMinor, totalMinor }) =>
					new Y.Map<unknown>([
						['p', productId],
						['name', name],
						['q', quantityThousandths],
						['u', unitPriceMinor],
						['t', totalMinor]
					])
			)
		);
		sale.set(
			'paid',
			SALE.tenders.map(({ kind, minor }) => [kind, minor])
		);
	});
	return bytes - SALE.lines.reduce((sum, { name }) => sum + Buffer.byteLength(name), 0);
}
