import { currencySettings, parseCurrency } from '#domain/currency.ts';
import { formatDecimal, parseAmount, type AmountRefusal } from '#domain/digits.ts';
import type { SettingFields } from '#domain/fact/fact.ts';
import type { App } from './app.svelte.ts';
import { changedOf } from './clean-fields.ts';
import type { SettingsRefusal } from './settings-act.ts';
import type { Live } from './live.ts';
import type { TypedNumbers } from './products.svelte.ts';

export type SettingsField = 'name' | 'address' | 'phone' | 'currency' | 'zone' | 'cashStep';
export type SettingWhy = AmountRefusal | 'tooLong' | 'wrong' | 'currencyFixed';

type ShownSettings = SettingFields & Required<Pick<SettingFields, 'decimals' | 'cashStep'>>;

/** What a person settles of the shop; what was typed stays until it is saved. */
export class SettingsForm {
	readonly #app: App;
	readonly #numbers: () => TypedNumbers;
	readonly #hasMoney: Live<boolean>;
	/** What stood in it first, or was saved last: only what is other than that is written. */
	#filled: SettingFields;
	name = $state('');
	address = $state('');
	phone = $state('');
	currency = $state('');
	zone = $state('');
	/** `05:00`. */
	cutoff = $state('00:00');
	decimals = $state.raw(0);
	cashStep = $state('');
	refusals = $state.raw<Readonly<Partial<Record<SettingsField, SettingWhy>>>>({});

	/** Amounts of two currencies are never added: after the first sale or record it stands. */
	readonly isCurrencyFixed = $derived.by(() => this.#hasMoney.value ?? false);
	readonly exponent = $derived.by(() => {
		const parsed = parseCurrency(this.currency);
		return parsed.ok ? currencySettings(parsed.value).exponent : 0;
	});

	constructor(app: App, numbers: () => TypedNumbers) {
		this.#app = app;
		this.#numbers = numbers;
		this.#hasMoney = app.live(['facts', 'days', 'balances'], async () => {
			const customers = await app.book.customersWithBalances();
			if (customers.some(({ balances }) => balances.length > 0)) return true;
			return (await app.book.recentReceipts(1)).length > 0;
		});
		this.#filled = this.#fill();
	}

	/** Another currency begins with its own habits. */
	chooseCurrency(code: string): void {
		const parsed = parseCurrency(code);
		if (!parsed.ok) return;
		const { shownDecimals, cashStepMinor, exponent } = currencySettings(parsed.value);
		this.currency = code;
		this.decimals = shownDecimals;
		this.cashStep = this.#typed(cashStepMinor, exponent);
	}

	/** Saves and answers whether it was taken; where a field is not, `refusals` says which. */
	async save(): Promise<boolean> {
		const fields = this.#read();
		if (fields === undefined) return false;
		const changed = changedOf(fields, this.#filled);
		const { decimals, cashStep } = fields;
		// How another currency is shown and paid goes with it.
		const whole = changed.currency === undefined ? changed : { ...changed, decimals, cashStep };
		const saved = await this.#app.keeping(() => this.#app.device.changeSettings(whole));
		if (saved.ok) this.#filled = fields;
		else this.refusals = refusalsOf(saved.error);
		return saved.ok;
	}

	#read(): ShownSettings | undefined {
		const { locale } = this.#numbers();
		const step = parseAmount(this.cashStep, { locale, exponent: this.exponent });
		const isNothing = step.ok && step.value === 0;
		this.refusals = {
			...(this.name.trim() === '' && { name: 'empty' }),
			...(!step.ok && { cashStep: step.error }),
			...(isNothing && { cashStep: 'wrong' })
		};
		if (!step.ok || Object.keys(this.refusals).length > 0) return undefined;
		return this.#fields(step.value);
	}

	#fields(cashStep: number): ShownSettings {
		const [hours = 0, minutes = 0] = this.cutoff.split(':').map(Number);
		return {
			name: this.name,
			address: this.address,
			phone: this.phone,
			currency: this.currency,
			zone: this.zone,
			cutoff: hours * 60 + minutes,
			decimals: Math.min(this.decimals, this.exponent),
			cashStep
		};
	}

	#fill(): SettingFields {
		const { settings } = this.#app;
		const { currency, exponent, shownDecimals, cashStepMinor } = settings.money;
		this.name = settings.name;
		this.address = settings.address ?? '';
		this.phone = settings.phone ?? '';
		this.currency = currency;
		this.zone = settings.zone;
		this.cutoff = clockOf(settings.cutoff);
		this.decimals = shownDecimals;
		this.cashStep = this.#typed(cashStepMinor, exponent);
		return this.#fields(cashStepMinor);
	}

	#typed(minor: number, exponent: number): string {
		return formatDecimal(minor, exponent, 0).replace('.', this.#numbers().decimalMark);
	}
}

/** The cloth of the shop, on every device of it. */
export async function chooseAccent(app: App, accent: string): Promise<void> {
	await app.keeping(() => app.device.changeSettings({ accent }));
}

function clockOf(minutes: number): string {
	const two = (value: number): string => String(value).padStart(2, '0');
	return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function refusalsOf(refusal: SettingsRefusal): Partial<Record<SettingsField, SettingWhy>> {
	if (refusal.kind === 'currencyFixed') return { currency: 'currencyFixed' };
	const field = FIELDS.find((known) => known === refusal.field) ?? 'name';
	return { [field]: refusal.why };
}

const FIELDS: readonly SettingsField[] = [
	'name',
	'address',
	'phone',
	'currency',
	'zone',
	'cashStep'
];
