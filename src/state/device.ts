import type {
	AdjustFact,
	AdjustReason,
	CustomerFields,
	RecordFact,
	SettingFields
} from '#domain/fact/fact.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { EntryFact, EntryRow, RecordTender } from '#domain/fact/ledger-fact.ts';
import type { LedgerId, ProductId } from '#domain/ids.ts';
import type { Result } from '#domain/result.ts';
import { assert } from '#domain/assert.ts';
import type { FactText } from './arrived-fact.ts';
import type { Checkpoint, CheckpointPiece } from './checkpoint.ts';
import type { FieldRefusal } from './clean-fields.ts';
import type * as Claims from './claim-act.ts';
import type * as Disputes from './dispute-act.ts';
import type * as Entities from './entity-acts.ts';
import type * as Entries from './entry-act.ts';
import type {
	AdjustRefusal,
	AdjustRow,
	CustomerEditRefusal,
	ProductDraft,
	ProductEditRefusal
} from './entity-acts.ts';
import type { Identity } from './identity.ts';
import type {
	AnswerDraft,
	AnswerRefusal,
	Claimed,
	ClaimRefusal,
	CorrectionDraft,
	CorrectionRefusal,
	EntryRefusal,
	MergeRefusal,
	StatementRefusal,
	RestRefusal
} from './ledger-acts.ts';
import type { ProductList } from './keep-products.ts';
import { heldMeta, readMeta, writeMeta, type NoticeMarks, type SmsSent } from './meta.ts';
import type { ReceiveReport } from './receive.ts';
import { changeSettingsAct, type SettingsRefusal } from './settings-act.ts';
import { sellAct, type SaleDraft, type SellRefusal, type Sold } from './sell.ts';
import type { PieceTaken } from './take-checkpoint.ts';
import type { ReturnDraft, ReturnPlan, ReturnRefusal, TakenBack } from './take-back.ts';
import type { RecordDraft, RecordOptions, RecordRefusal } from './write-records.ts';
import { createTurns, type Turns } from './turns.ts';
import { createWritePath, readMoment, type DeviceParts, type Perform } from './write-path.ts';

export type { Identity } from './identity.ts';
export type { SaleDraft, SellRefusal, Sold } from './sell.ts';
export type { ReturnDraft, ReturnPlan, ReturnRefusal, TakenBack } from './take-back.ts';
export type { RecordDraft, RecordOptions, RecordRefusal } from './write-records.ts';
export type {
	AdjustRefusal,
	AdjustRow,
	CustomerEditRefusal,
	ProductDraft,
	ProductEditRefusal
} from './entity-acts.ts';
export type { FieldRefusal } from './clean-fields.ts';
export type { SettingsRefusal } from './settings-act.ts';
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
	/**
	 * Takes a code that the customer told for `hs`, as typed: spaces and any script's digits. Of
	 * several records it files a statement in the same act and claims that.
	 */
	claimByCode(
		ledger: LedgerId,
		hs: readonly RecordHash[],
		code: string
	): Promise<Result<Claimed, ClaimRefusal>>;
	/** Keeps which message was sent for a record, so that its 6 digits can be taken. */
	noteSms(h: RecordHash, sent: SmsSent): Promise<void>;
	/** Lists `hs` in one record that the customer may confirm as a whole; it counts nothing. */
	fileStatement(
		ledger: LedgerId,
		hs: readonly RecordHash[]
	): Promise<Result<RecordFact, StatementRefusal>>;
	/** Answers a customer who said no. */
	answerDispute(h: RecordHash, answer: AnswerDraft): Promise<Result<RecordFact, AnswerRefusal>>;
	/** Corrects a record by a further one: lower by a credit, higher by a further due, nothing by a reversal. */
	correct(draft: CorrectionDraft): Promise<Result<RecordFact, CorrectionRefusal>>;
	/** Pays the rest of a due. */
	markPaid(h: RecordHash, tender: RecordTender): Promise<Result<RecordFact, RestRefusal>>;
	/** Ends what is left unpaid of a debit, and no more than `mostMinor`. */
	forgive(h: RecordHash, mostMinor: number): Promise<Result<RecordFact, RestRefusal>>;
	/** Writes a line of the shop's own book; `ledger` 0 for rough slips. */
	addEntry(ledger: LedgerId | 0, row: EntryRow): Promise<Result<EntryFact, EntryRefusal>>;
	/** Makes one page of two cards, or two again. */
	mergeCards(a: LedgerId, b: LedgerId, isJoined: boolean): Promise<Result<undefined, MergeRefusal>>;
	/** Everything up to `atMs` was looked at; and which kinds of notices are not wanted. */
	markNotices(marks: NoticeMarks): Promise<void>;
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
	/** Takes a later piece of it. */
	takePiece(piece: CheckpointPiece): Promise<PieceTaken>;
	/** Somebody looks at the ledger: what is missing of it comes before the rest. */
	wantLedger(ledger: LedgerId): Promise<void>;
	/** Lets old sales go, a day of them; false where there is nothing left to let go. For idle time. */
	prune(): Promise<boolean>;
	/** Resolves when no act of a person is being done. */
	quiet(): Promise<void>;
	/** Keeps that the relay knows the business now, and what it calls this device. */
	markClaimed(claimed: Pick<Identity, 'member' | 'code'> & Partial<Identity>): Promise<void>;
}

/** Opens the device that `identity` in the store says; `openDevice` keeps a new one first. */
export async function openDevice(parts: DeviceParts, minted?: Identity): Promise<Device> {
	const held = await heldMeta(parts.store, 'identity');
	return createDevice(parts, held ?? (await keepIdentity(parts, minted)));
}

/** Of two tabs that begin a book the first one's identity is kept. */
function keepIdentity({ store }: DeviceParts, minted: Identity | undefined): Promise<Identity> {
	return store.write(['meta'], async (rows) => {
		const held = await readMeta(rows, 'identity');
		if (held !== undefined) return held;
		assert(minted !== undefined, 'a new database is opened with an identity');
		await writeMeta(rows, 'identity', minted);
		return minted;
	});
}

function createDevice(parts: DeviceParts, kept: Identity): Device {
	let identity = kept;
	const turns = createTurns();
	const act = createWritePath(parts, () => identity);
	const perform: Perform = (of) => turns.during(() => act(of));
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
		takeBack: async (draft) => {
			const { takeBackAct } = await import('./take-back.ts');
			return perform(takeBackAct(draft, parts));
		},
		planReturn: async (draft) => {
			const { loadReturn, planReturn, RETURN_TABLES } = await import('./take-back.ts');
			const { context, moment } = await readMoment(parts, identity, {
				tables: RETURN_TABLES,
				load: (rows) => loadReturn(rows, draft)
			});
			return planReturn(draft, context, moment);
		},
		...createLedgerActs(parts, perform),
		...createEntityActs(parts, perform),
		changeSettings: (fields) => perform(changeSettingsAct(fields)),
		...createArrivals(parts, turns, () => identity),
		markClaimed: async (claimed) => {
			const now = { ...identity, ...claimed, claimed: true };
			await parts.store.write(['meta'], (rows) => writeMeta(rows, 'identity', now));
			identity = now;
			parts.changes.tell(['meta']);
		}
	};
}

type Arrivals = Pick<
	Device,
	'receive' | 'takeCheckpoint' | 'takePiece' | 'wantLedger' | 'prune' | 'quiet'
>;

/** What the relay brings, and what is let go. */
function createArrivals(parts: DeviceParts, turns: Turns, identity: () => Identity): Arrivals {
	return {
		receive: async (facts) => {
			const { receiveFacts } = await import('./receive.ts');
			return receiveFacts(facts, parts, { identity: identity(), turns });
		},
		takeCheckpoint: async (checkpoint) => {
			const { takeCheckpoint } = await import('./take-checkpoint.ts');
			await takeCheckpoint(checkpoint, parts, identity());
		},
		takePiece: async (piece) => {
			const { takePiece } = await import('./take-checkpoint.ts');
			return takePiece(piece, parts, { identity: identity(), turns });
		},
		wantLedger: async (ledger) => {
			await parts.store.write(['bases'], async (rows) => {
				const base = await rows.get('bases', ledger);
				if (base?.isWanted === 0) await rows.put('bases', [{ ...base, isWanted: 1 }]);
			});
		},
		prune: async () => {
			const { pruneDay } = await import('./prune.ts');
			return pruneDay(parts, identity());
		},
		quiet: () => turns.quiet()
	};
}

type EntityActs = Pick<
	Device,
	| 'addCustomer'
	| 'changeCustomer'
	| 'addProducts'
	| 'changeProduct'
	| 'keepProducts'
	| 'adjustStock'
>;

/** What is no part of selling is loaded when it is first done; the service worker has it. */
function createEntityActs(parts: DeviceParts, perform: Perform): EntityActs {
	const acts = (): Promise<typeof Entities> => import('./entity-acts.ts');
	return {
		addCustomer: async (fields) => perform((await acts()).addCustomerAct(fields, parts)),
		changeCustomer: async (ledger, fields) =>
			perform((await acts()).changeCustomerAct(ledger, fields)),
		addProducts: async (rows) => perform((await acts()).addProductsAct(rows)),
		changeProduct: async (product, fields) =>
			perform((await acts()).changeProductAct(product, fields)),
		keepProducts: async (list) => {
			const { keepProductsAct } = await import('./keep-products.ts');
			return perform(keepProductsAct(list));
		},
		adjustStock: async (rows, reason) => perform((await acts()).adjustStockAct(rows, reason))
	};
}

type LedgerActs = Pick<
	Device,
	| 'writeRecords'
	| 'claimByCode'
	| 'noteSms'
	| 'fileStatement'
	| 'answerDispute'
	| 'correct'
	| 'markPaid'
	| 'forgive'
	| 'addEntry'
	| 'mergeCards'
	| 'markNotices'
>;

/** Loaded when it is first done, too. */
function createLedgerActs(parts: DeviceParts, perform: Perform): LedgerActs {
	const claims = (): Promise<typeof Claims> => import('./claim-act.ts');
	const disputes = (): Promise<typeof Disputes> => import('./dispute-act.ts');
	const entries = (): Promise<typeof Entries> => import('./entry-act.ts');
	return {
		writeRecords: async (ledger, drafts, options = {}) => {
			const { writeRecordsAct } = await import('./write-records.ts');
			return perform(writeRecordsAct(ledger, drafts, { options, parts }));
		},
		claimByCode: async (ledger, hs, typed) => {
			const act = (await claims()).claimByCodeAct({ ledger, hs, typed, parts });
			const claimed = await perform(act);
			return claimed.ok ? claimed.value : claimed;
		},
		fileStatement: async (ledger, hs) =>
			perform((await claims()).fileStatementAct(ledger, hs, parts)),
		answerDispute: async (h, answer) =>
			perform((await disputes()).answerDisputeAct(h, answer, parts)),
		correct: async (draft) => perform((await disputes()).correctAct(draft, parts)),
		markPaid: async (h, tender) => perform((await disputes()).payRestAct(h, tender, parts)),
		forgive: async (h, mostMinor) => perform((await disputes()).forgiveAct(h, mostMinor, parts)),
		addEntry: async (ledger, row) => perform((await entries()).addEntryAct(ledger, row)),
		mergeCards: async (a, b, isJoined) => perform((await entries()).mergeCardsAct(a, b, isJoined)),
		noteSms: (h, sent) => keepSms(parts, h, sent),
		markNotices: (marks) => keepMarks(parts, marks)
	};
}

/** Messages whose time is over are forgotten with the next. */
async function keepSms(
	{ store, clock, changes }: DeviceParts,
	h: RecordHash,
	sent: SmsSent
): Promise<void> {
	await store.write(['meta'], async (rows) => {
		const nowMs = clock() + ((await readMeta(rows, 'offset')) ?? 0);
		const held = Object.entries((await readMeta(rows, 'sms')) ?? {});
		const open = held.filter(([, { expiresAt }]) => expiresAt > nowMs);
		await writeMeta(rows, 'sms', { ...Object.fromEntries(open), [h]: sent });
	});
	changes.tell(['meta']);
}

async function keepMarks({ store, changes }: DeviceParts, marks: NoticeMarks): Promise<void> {
	await store.write(['meta'], async (rows) => {
		await writeMeta(rows, 'notices', { ...(await readMeta(rows, 'notices')), ...marks });
	});
	changes.tell(['meta']);
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
