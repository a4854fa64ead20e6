import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { err, ok } from '#domain/result.ts';
import { appendFact, observeFacts, readFacts, type DocumentFact } from './facts.ts';

const FIRST = { id: 'A-1', text: '["A-1","setting",1,0,1,1,{}]' };
const SECOND = { id: 'A-2', text: '["A-2","setting",2,0,1,1,{}]' };

describe('facts in a document', () => {
	it('[DOC-3] reads what was put in, and no value that is not a text', () => {
		const doc = new Y.Doc();
		appendFact(doc, FIRST);
		appendFact(doc, SECOND);
		doc.getMap('f').set('A-3', new Y.Map());
		doc.getMap('f').set('A-4', 4);
		expect(readFacts(doc)).toEqual([FIRST, SECOND]);
	});

	it('[DOC-4] appends once, knows the same again, and calls another text a fork', () => {
		const doc = new Y.Doc();
		expect(appendFact(doc, FIRST)).toEqual(ok('appended'));
		const before = Y.encodeStateAsUpdate(doc);
		expect(appendFact(doc, FIRST)).toEqual(ok('known'));
		expect(appendFact(doc, { id: FIRST.id, text: SECOND.text })).toEqual(err('fork'));
		expect(Y.encodeStateAsUpdate(doc)).toEqual(before);
	});

	it('[DOC-5] tells of local and remote facts once each, until stopped', () => {
		const doc = new Y.Doc();
		const other = new Y.Doc();
		const heard: DocumentFact[] = [];
		const stop = observeFacts(doc, (facts) => heard.push(...facts));

		appendFact(doc, FIRST);
		appendFact(other, SECOND);
		Y.applyUpdate(doc, Y.encodeStateAsUpdate(other));
		Y.applyUpdate(doc, Y.encodeStateAsUpdate(other));
		expect(heard).toEqual([FIRST, SECOND]);

		stop();
		appendFact(doc, { id: 'A-3', text: '["A-3"]' });
		expect(heard).toHaveLength(2);
	});
});
