import type { DocumentAddress } from '#documents/document-name.ts';
import type { FactKind } from '#domain/fact/fact.ts';
import type { Caller } from '#server/auth/phone-auth.ts';

/** What kind of author a caller is: a member of a shop by his role, or a customer by his phone. */
type Author = 'owner' | 'phone';
type DocumentKind = DocumentAddress['kind'];
type Writes = Readonly<Record<DocumentKind, ReadonlySet<FactKind>>>;

const NOTHING: ReadonlySet<FactKind> = new Set();

/**
 * RELAY-8. What each author may write into a document of each kind. What is not named here is
 * refused: members, devices, links, verdicts and the customer's side are the relay's own to write.
 */
const RIGHTS: Readonly<Record<Author, Writes>> = {
	owner: {
		journal: new Set([
			...(['sale', 'return', 'adjust', 'product', 'customer', 'setting', 'record'] as const),
			...(['claim', 'entry', 'merge'] as const)
		]),
		office: NOTHING,
		shopSide: NOTHING,
		customerSide: NOTHING
	},
	phone: {
		journal: NOTHING,
		office: NOTHING,
		shopSide: NOTHING,
		customerSide: new Set(['reply', 'seen'])
	}
};

export interface Deed {
	readonly caller: Caller;
	readonly document: DocumentKind;
	readonly fact: FactKind;
}

export function mayWrite({ caller, document, fact }: Deed): boolean {
	return RIGHTS[authorOf(caller)][document].has(fact);
}

/**
 * RELAY-9. A device opens the documents of its own branch that its member may write into; a phone
 * those of its own person, and reads what the relay writes there.
 */
export function mayOpen(caller: Caller, address: DocumentAddress): boolean {
	if (caller.sort === 'phone') return 'person' in address && address.person === caller.scope;
	if (!('business' in address)) return false;
	if (address.business !== caller.business || address.branch !== caller.branch) return false;
	return RIGHTS[caller.role][address.kind].size > 0;
}

function authorOf(caller: Caller): Author {
	return caller.sort === 'phone' ? 'phone' : caller.role;
}
