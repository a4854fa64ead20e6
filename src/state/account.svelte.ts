import { parsePassword } from '#domain/account/password.ts';
import { parseUsername } from '#domain/account/username.ts';
import { parsePersonId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { cleanName } from '#domain/text.ts';
import type { AccountName, MyBusiness, SignedIn } from './account-answers.ts';
import {
	createAccountApi,
	type AccountApi,
	type ApiRefusal,
	type SignInForm,
	type SignUpForm
} from './account-api.ts';
import type { App } from './app.svelte.ts';
import type { UnsentAtRisk } from './unsent-at-risk.ts';

const SHELF_KEY = 'daftar.account';
const NAME_CODE_POINTS_MAX = 80;

export interface AccountParts {
	readonly api: AccountApi;
	/** Where a device keeps who is signed in, so that it is known without a network. */
	readonly shelf: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
}

/** Who is signed in on this device. */
export class Account {
	readonly api: AccountApi;
	readonly #shelf: AccountParts['shelf'];
	/** Undefined where nobody is. */
	signedIn = $state.raw<SignedIn | undefined>();
	/** Known once the relay was asked. */
	businesses = $state.raw<readonly MyBusiness[] | undefined>();
	isWorking = $state.raw(false);

	constructor({ api, shelf }: AccountParts) {
		this.api = api;
		this.#shelf = shelf;
		this.signedIn = readSignedIn(shelf.getItem(SHELF_KEY));
	}

	get name(): AccountName | undefined {
		return this.signedIn?.account;
	}

	/** Asks the relay who is signed in; without a network what was known stays. */
	async refresh(): Promise<Result<undefined, ApiRefusal>> {
		const me = await this.api.me();
		if (me.ok) {
			this.businesses = me.value.businesses;
			const { account, person, isProved } = me.value;
			this.#keep({ account, person, isProved });
			return ok(undefined);
		}
		if (me.error === 'notSignedIn') this.#keep(undefined);
		return me;
	}

	async signUp(form: SignUpForm): Promise<Result<SignedIn, ApiRefusal>> {
		return this.#enter(() => this.api.signUp(form));
	}

	async signIn(form: SignInForm): Promise<Result<SignedIn, ApiRefusal>> {
		return this.#enter(() => this.api.signIn(form));
	}

	/** Whether somebody is signed in whose address no code has proved yet. */
	get isUnproved(): boolean {
		return this.signedIn?.isProved === false;
	}

	markProved(): void {
		if (this.isUnproved && this.signedIn !== undefined)
			this.#keep({ ...this.signedIn, isProved: true });
	}

	/** Ends the session; where records are on this device alone it is refused, and nothing ends. */
	async signOut(atRisk: UnsentAtRisk): Promise<Result<undefined, ApiRefusal | UnsentAtRisk>> {
		if (atRisk.count > 0) return err(atRisk);
		const ended = await this.api.signOut();
		if (!ended.ok) return ended;
		this.businesses = undefined;
		this.#keep(undefined);
		return ok(undefined);
	}

	async #enter(
		ask: () => Promise<Result<SignedIn, ApiRefusal>>
	): Promise<Result<SignedIn, ApiRefusal>> {
		this.isWorking = true;
		try {
			const entered = await ask();
			if (entered.ok) this.#keep(entered.value);
			return entered;
		} finally {
			this.isWorking = false;
		}
	}

	#keep(signedIn: SignedIn | undefined): void {
		this.signedIn = signedIn;
		if (signedIn === undefined) this.#shelf.removeItem(SHELF_KEY);
		else this.#shelf.setItem(SHELF_KEY, JSON.stringify(signedIn));
	}
}

let opened: Account | undefined;

/** This page's account; one for all its screens. */
export function openAccount(): Account {
	opened ??= new Account({
		api: createAccountApi({ fetch: (...asked) => fetch(...asked) }),
		shelf: localStorage
	});
	return opened;
}

type ClaimingAccount = Pick<Account, 'businesses' | 'name'> & {
	readonly api: Pick<AccountApi, 'claim'>;
};
type ClaimingApp = Pick<App, 'identity' | 'settings' | 'signer' | 'store' | 'changes'> & {
	readonly device: Pick<App['device'], 'markClaimed'>;
};

/**
 * JOIN-3. Puts the book of this device under the account that is signed in, with all that it holds. What is
 * claimed already is that account's, unless its shops were asked for and this is none of them.
 */
export async function claimBook(
	account: ClaimingAccount,
	app: ClaimingApp
): Promise<Result<undefined, ApiRefusal>> {
	const { business, branch, person, claimed } = app.identity;
	const isOthers = account.businesses?.every((shop) => shop.business !== business) === true;
	if (claimed) return isOthers ? err('businessKnown') : ok(undefined);
	const name = app.settings.name === '' ? (account.name?.name ?? '') : app.settings.name;
	const made = await account.api.claim({ business, branch, person, name }, app.signer);
	if (!made.ok) return made.error === 'businessKnown' ? anotherBook(account, app, name) : made;
	const { member, code } = made.value;
	await app.device.markClaimed({ member, code });
	return ok(undefined);
}

/** A copy of this book is somebody else's shop: what stands here becomes a shop of its own. */
async function anotherBook(
	{ api }: ClaimingAccount,
	app: ClaimingApp,
	name: string
): Promise<Result<undefined, ApiRefusal>> {
	const { claimAnew } = await import('./browser-link.ts');
	const claimed = await claimAnew(api, app, { name });
	if (!claimed.ok) return claimed;
	location.replace('/shop/sell');
	// This page still stands on the old book, and is about to be gone.
	return new Promise(() => undefined);
}

export type SignUpField = 'username' | 'name' | 'contact' | 'password' | 'shop';

/** What a person fills in to sign up. Nothing that was typed goes away by being refused. */
export class SignUp {
	readonly #account: Account;
	kind = $state.raw<'store' | 'customer'>('store');
	username = $state('');
	name = $state('');
	/** A phone number or an e-mail address. */
	contact = $state('');
	password = $state('');
	shop = $state('');
	currency = $state('');
	zone = $state('');
	refusal = $state.raw<{ readonly field?: SignUpField; readonly code: ApiRefusal } | undefined>();

	constructor(account: Account) {
		this.#account = account;
	}

	/**
	 * Signs up; a store's book goes under the account with all that was sold before. Everything here
	 * may be done again after a lost answer: the same form is the same account.
	 */
	async send(app: App | undefined, language: string): Promise<boolean> {
		this.refusal = undefined;
		const wrong = this.#wrong();
		if (wrong !== undefined) {
			this.refusal = { field: fieldOf(wrong), code: wrong };
			return false;
		}
		if (this.kind === 'store' && app !== undefined) await this.#keepShop(app);
		const signedUp = await this.#signUp(app, language);
		if (!signedUp.ok) return this.#refuse(signedUp.error);
		if (this.kind === 'customer' || app === undefined) return true;
		const claimed = await claimBook(this.#account, app);
		return claimed.ok ? true : this.#refuse(claimed.error);
	}

	/** What this device can tell before the relay is asked, in the order of the page. */
	#wrong(): ApiRefusal | undefined {
		if (this.kind === 'store' && !cleanName(this.shop, NAME_CODE_POINTS_MAX).ok)
			return 'nameInvalid';
		if (!cleanName(this.name, NAME_CODE_POINTS_MAX).ok) return 'nameInvalid';
		if (this.contact.trim() === '') return 'contactMissing';
		const username = parseUsername(this.username);
		if (!username.ok) return username.error;
		const password = parsePassword(this.password, username.value);
		return password.ok ? undefined : password.error;
	}

	async #keepShop(app: App): Promise<void> {
		const { shop: name, zone, currency } = this;
		const fields = currency === app.settings.currency ? { name, zone } : { name, zone, currency };
		const kept = await app.keeping(() => app.device.changeSettings(fields));
		// Once something was sold its currency stands, and the shop has its name all the same.
		if (!kept.ok) await app.keeping(() => app.device.changeSettings({ name, zone }));
	}

	/** The person that stands in a copied book is somebody else by now: then this one is a new one. */
	async #signUp(app: App | undefined, language: string): Promise<Result<SignedIn, ApiRefusal>> {
		const form = { ...this.#form(app), language };
		const signedUp = await this.#account.signUp(form);
		if (signedUp.ok || signedUp.error !== 'personKnown') return signedUp;
		const { person, ...asNew } = form;
		return person === undefined ? signedUp : this.#account.signUp(asNew);
	}

	#form(app: App | undefined): SignUpForm {
		const { kind, username, name, password } = this;
		const contact = this.contact.trim();
		const { region } = new Intl.Locale(navigator.language).maximize();
		return {
			kind,
			username,
			name,
			password,
			...(contact.includes('@') ? { email: contact } : { phone: contact }),
			...(region !== undefined && { region }),
			...(kind === 'store' && app !== undefined && { person: app.identity.person })
		};
	}

	#refuse(code: ApiRefusal): false {
		this.refusal = isShopName(code, this) ? { field: 'shop', code } : { ...placed(code), code };
		return false;
	}
}

function isShopName(code: ApiRefusal, { kind, shop }: SignUp): boolean {
	return code === 'nameInvalid' && kind === 'store' && !cleanName(shop, NAME_CODE_POINTS_MAX).ok;
}

function placed(code: ApiRefusal): { readonly field?: SignUpField } {
	const field = FIELD_BY_CODE[code];
	return field === undefined ? {} : { field };
}

function fieldOf(code: ApiRefusal): SignUpField {
	return FIELD_BY_CODE[code] ?? 'username';
}

const FIELD_BY_CODE: Partial<Record<ApiRefusal, SignUpField>> = {
	usernameInvalid: 'username',
	usernameReserved: 'username',
	usernameTaken: 'username',
	nameInvalid: 'name',
	contactInvalid: 'contact',
	contactMissing: 'contact',
	passwordIsUsername: 'password',
	passwordTooLong: 'password',
	passwordTooShort: 'password'
};

function readSignedIn(text: string | null): SignedIn | undefined {
	const value = parseJson(text);
	if (!isObject(value) || !isObject(value['account'])) return undefined;
	const { username, kind, name } = value['account'];
	const person = parsePersonId(value['person']);
	if (typeof username !== 'string' || typeof name !== 'string' || !person.ok) return undefined;
	if (kind !== 'store' && kind !== 'customer') return undefined;
	// Kept by an older Daftar, it is found out at the next sign of the relay.
	const isProved = value['isProved'] !== false;
	return { account: { username, kind, name }, person: person.value, isProved };
}

function parseJson(text: string | null): unknown {
	try {
		return text === null ? undefined : JSON.parse(text);
	} catch (cause) {
		if (cause instanceof SyntaxError) return undefined;
		throw cause;
	}
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null;
}
