import type {
	AdjustFact,
	AdjustReason,
	CustomerFields,
	RecordFact,
	SettingFields
} from '#domain/fact/fact.ts';
import type { LedgerId, ProductId } from '#domain/ids.ts';
import type { Result } from '#domain/result.ts';
import { assert } from '#domain/assert.ts';
import type { FactText } from './arrived-fact.ts';
import type { Checkpoint } from './checkpoint.ts';
import {
	addCustomerAct,
	addProductsAct,
	adjustStockAct,
	changeCustomerAct,
	changeProductAct,
	changeSettingsAct,
	type AdjustRefusal,
	type AdjustRow,
	type CustomerEditRefusal,
	type FieldRefusal,
	type ProductDraft,
	type ProductEditRefusal,
	type SettingsRefusal
} from './entity-acts.ts';
import type { Identity } from './identity.ts';
import { keepProductsAct, type ProductList } from './keep-products.ts';
import { readMeta, writeMeta } from './meta.ts';
import { countNewKinds, receiveFacts, type ReceiveReport } from './receive.ts';
import { sellAct, type SaleDraft, type SellRefusal, type Sold } from './sell.ts';
import {
	loadReturn,
	planReturn,
	RETURN_TABLES,
	takeBackAct,
	type ReturnDraft,
	type ReturnPlan,
	type ReturnRefusal,
	type TakenBack
} from './take-back.ts';
import {
	writeRecordsAct,
	type RecordDraft,
	type RecordOptions,
	type RecordRefusal
} from './write-records.ts';
import { takeCheckpoint } from './take-checkpoint.ts';
import { createWritePath, readMoment, type DeviceParts } from './write-path.ts';

export type { Identity } from './identity.ts';
export type { SaleDraft, SellRefusal, Sold } from './sell.ts';
export type { ReturnDraft, ReturnPlan, ReturnRefusal, TakenBack } from './take-back.ts';
export type { RecordDraft, RecordOptions, RecordRefusal } from './write-records.ts';
export type {
	AdjustRefusal,
	AdjustRow,
	CustomerEditRefusal,
	FieldRefusal,
	ProductDraft,
	ProductEditRefusal,
	SettingsRefusal
} from './entity-acts.ts';
export type { Checkpoint } from './checkpoint.ts';
export type { FactText } from './arrived-fact.ts';
export type { DeviceParts } from './write-path.ts';

/**
 * A device of a shop: what people do on it, and what reaches it. Every act resolves when it is on
 * disk, or is refused in words and nothing is written; a full disk rejects (`isStorageFull`).
 */
export interface Device {
	readonly identity: Identity;
	sell(draft: SaleDraft): Promise<Result<Sold, SellRefusal>>;
	takeBack(draft: ReturnDraft): Promise<Result<TakenBack, ReturnRefusal>>;
	/** What `takeBack` would give back, and how; writes nothing. */
	planReturn(draft: ReturnDraft): Promise<Result<ReturnPlan, ReturnRefusal>>;
	writeRecords(
		ledger: LedgerId,
		drafts: readonly RecordDraft[],
		options?: RecordOptions
	): Promise<Result<RecordFact, RecordRefusal>>;
	addCustomer(fields: CustomerFields): Promise<Result<LedgerId, FieldRefusal>>;
	changeCustomer(
		ledger: LedgerId,
		fields: CustomerFields
	): Promise<Result<undefined, CustomerEditRefusal>>;
	/** The ids in the order of the rows. */
	addProducts(
		rows: readonly ProductDraft[]
	): Promise<Result<readonly ProductId[], ProductEditRefusal>>;
	changeProduct(
		product: ProductId,
		fields: ProductDraft
	): Promise<Result<undefined, ProductEditRefusal>>;
	/** Takes in a list of products, all of it or none. */
	keepProducts(list: ProductList): Promise<Result<{ readonly facts: number }, ProductEditRefusal>>;
	changeSettings(fields: SettingFields): Promise<Result<undefined, SettingsRefusal>>;
	adjustStock(
		rows: readonly AdjustRow[],
		reason: AdjustReason
	): Promise<Result<readonly AdjustFact[], AdjustRefusal>>;
	/** Takes in facts of other devices, the relay's and its own again; each counts once. */
	receive(facts: readonly FactText[]): Promise<ReceiveReport>;
	/** Takes the relay's numbers in the place of the facts they are of. */
	takeCheckpoint(checkpoint: Checkpoint): Promise<void>;
	/** Keeps that the relay knows the business now, and what it calls this device. */
	markClaimed(claimed: Pick<Identity, 'member' | 'code'> & Partial<Identity>): Promise<void>;
}

/** Opens the device that `identity` in the store says; `openDevice` keeps a new one first. */
export async function openDevice(parts: DeviceParts, minted?: Identity): Promise<Device> {
	const identity = await parts.store.write(['meta'], async (rows) => {
		const held = await readMeta(rows, 'identity');
		if (held !== undefined) return held;
		assert(minted !== undefined, 'a new database is opened with an identity');
		await writeMeta(rows, 'identity', minted);
		return minted;
	});
	await countNewKinds(parts, identity);
	return createDevice(parts, identity);
}

function createDevice(parts: DeviceParts, kept: Identity): Device {
	let identity = kept;
	const perform = createWritePath(parts, () => identity);
	onClaimedElsewhere(parts, {
		isClaimed: () => identity.claimed,
		take: (claimed) => {
			identity = claimed;
			parts.changes.tell(['meta']);
		}
	});
	return {
		get identity() {
			return identity;
		},
		sell: (draft) => perform(sellAct(draft, parts)),
		takeBack: (draft) => perform(takeBackAct(draft, parts)),
		planReturn: async (draft) => {
			const { context, moment } = await readMoment(parts, identity, {
				tables: RETURN_TABLES,
				load: (rows) => loadReturn(rows, draft)
			});
			return planReturn(draft, context, moment);
		},
		writeRecords: (ledger, drafts, options = {}) =>
			perform(writeRecordsAct(ledger, drafts, { options, parts })),
		addCustomer: (fields) => perform(addCustomerAct(fields, parts)),
		changeCustomer: (ledger, fields) => perform(changeCustomerAct(ledger, fields)),
		addProducts: (rows) => perform(addProductsAct(rows)),
		changeProduct: (product, fields) => perform(changeProductAct(product, fields)),
		keepProducts: (list) => perform(keepProductsAct(list)),
		changeSettings: (fields) => perform(changeSettingsAct(fields)),
		adjustStock: (rows, reason) => perform(adjustStockAct(rows, reason)),
		receive: (facts) => receiveFacts(facts, parts, identity),
		takeCheckpoint: (checkpoint) => takeCheckpoint(checkpoint, parts, identity),
		markClaimed: async (claimed) => {
			identity = { ...identity, ...claimed, claimed: true };
			await parts.store.write(['meta'], (rows) => writeMeta(rows, 'identity', identity));
			parts.changes.tell(['meta']);
		}
	};
}

interface ClaimTaking {
	readonly isClaimed: () => boolean;
	readonly take: (identity: Identity) => void;
}

/** Another tab may have signed up: what it claimed is claimed here, and this tab may be the one that sends. */
function onClaimedElsewhere({ store, changes }: DeviceParts, taking: ClaimTaking): void {
	changes.on((tables) => {
		if (taking.isClaimed() || !tables.includes('meta')) return;
		store
			.read(['meta'], (rows) => readMeta(rows, 'identity'))
			.then((held) => {
				if (held?.claimed === true && !taking.isClaimed()) taking.take(held);
			})
			// The next change asks again.
			.catch(() => undefined);
	});
}
