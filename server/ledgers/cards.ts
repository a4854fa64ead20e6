import type { PersonId } from '#domain/ids.ts';
import type { Act } from './act.ts';
import { readHolder, type Link } from './guard.ts';
import type { LedgerName, Party } from './ledger-parts.ts';

const PHONE_END_DIGITS = 3;

/** What a shop may know of a proved number; nothing where there is none. */
export function phoneEndOf(phone: string | null): string {
	return phone === null ? '' : phone.slice(-PHONE_END_DIGITS);
}

/** Tells the shop who is behind the ledger now, and the person which shop it is. */
export async function makeCard(
	act: Act,
	{ name, link, party }: { readonly name: LedgerName; readonly link: Link; readonly party: Party }
): Promise<void> {
	const { way, epoch, at } = link;
	const who = party.way === 'app' ? await introduce(act, party.person) : nobody(party.phone);
	await act.write(name.business, {
		kind: 'link',
		ledgerId: name.ledger,
		fields: { state: 'linked', way, epoch, at, ...who },
		branch: null
	});
	if (party.way === 'phone') return;
	await act.write(party.person, {
		kind: 'card',
		businessId: name.business,
		ledgerId: name.ledger,
		fields: { state: 'linked', way, epoch, at },
		branch: null
	});
}

interface Who {
	readonly username: string;
	readonly name: string;
	readonly phoneEnd: string;
}

async function introduce({ tx }: Act, person: PersonId): Promise<Who> {
	const { username, name, phone } = await readHolder(tx, person);
	return { username, name, phoneEnd: phoneEndOf(phone) };
}

/** Whoever has the number has no account: a name that stood here before is gone. */
function nobody(phone: string): Who {
	return { username: '', name: '', phoneEnd: phoneEndOf(phone) };
}
