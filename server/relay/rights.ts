import type { DocumentAddress } from '#documents/document-name.ts';
import type { FactKind } from '#domain/fact/fact.ts';
import type { DeviceCaller } from '#server/auth/device-auth.ts';

type Role = DeviceCaller['role'];
type DocumentKind = DocumentAddress['kind'];

/**
 * RELAY-8. What a member of each role may write into a document of each kind. What is not named here is
 * refused: members and devices are the relay's own to write.
 */
const RIGHTS: Readonly<Record<Role, Readonly<Record<DocumentKind, ReadonlySet<FactKind>>>>> = {
	owner: {
		journal: new Set(['sale', 'return', 'adjust', 'product', 'customer', 'setting', 'record']),
		office: new Set(),
		shopSide: new Set(),
		customerSide: new Set()
	}
};

export interface Deed {
	readonly role: Role;
	readonly document: DocumentKind;
	readonly fact: FactKind;
}

export function mayWrite({ role, document, fact }: Deed): boolean {
	return RIGHTS[role][document].has(fact);
}

/** RELAY-9. A device opens the documents of its own branch that its member may write into. */
export function mayOpen(caller: DeviceCaller, address: DocumentAddress): boolean {
	if (!('business' in address)) return false;
	if (address.business !== caller.business || address.branch !== caller.branch) return false;
	return RIGHTS[caller.role][address.kind].size > 0;
}
