import type {
	DeviceStore,
	FactRow,
	MetaRow,
	NumberRanges,
	StoreReader,
	StoreWriter
} from '#storage/device-store.ts';
import type { ProductId } from '#domain/ids.ts';
import type { Stamp } from '#domain/stamp.ts';
import type { PhoneIdentity } from './customer/phone-identity.ts';
import type { HeldSecret } from './customer/secret.ts';
import type { Identity } from './identity.ts';

export type { NumberRange } from '#storage/device-store.ts';

/** The place of this device in the business's feed. */
export interface FeedPlace {
	readonly epoch: number;
	readonly s: number;
}

/** What a device took from the relay in one piece, instead of all facts up to `s`. */
export interface CheckpointPlace extends FeedPlace {
	/** Which facts are inside, by device code. */
	readonly ranges: NumberRanges;
}

/** The next piece of a checkpoint that is being fetched. */
export interface CheckpointNext {
	readonly epoch: number;
	readonly part: string;
	/** The last thing that came of the part; empty before the first. */
	readonly after: string;
}

/** The device's own last numbers; both begin at 0 and are never used twice. */
export interface Sequence {
	readonly n: number;
	readonly receipt: number;
}

/** A message with a code that went to a customer for a record. */
export interface SmsSent {
	/** 0, 1 or 2. */
	readonly send: number;
	readonly expiresAt: number;
	/** As the relay hides it: `…678`. */
	readonly to: string;
}

/** What the person of this device looked at, and does not want to see. */
export interface NoticeMarks {
	/** ms; absent: as it was. */
	readonly readUpTo?: number;
	readonly hidden?: readonly string[];
}

/** In a book whose numbers are used by two: what its heir will be. */
export interface HeirToBe {
	/** Made and kept before the relay is asked, so that an answer that was lost is asked for again. */
	readonly keys: CryptoKeyPair;
	/** Set when the heir's book is whole: a device's letters, or a phone's `p2`. */
	readonly code?: string;
	/** Where the heir is a business of its own: then nothing more is written here once it is whole. */
	readonly minted?: Identity;
	/** The heir's book has all of this one: nothing more is written here, and it is removed. */
	readonly isOver?: boolean;
}

/** In an heir's book: what it took over, and from where. */
export interface Inheritance {
	/** Of the device, or the phone, that it goes on for. */
	readonly code: string;
	/** The database of the book before. */
	readonly book: string;
	/** When it was taken over, ms by the corrected clock. */
	readonly at: number;
	/** The last own number of the book before that was looked at. */
	readonly upTo: number;
	/** What was issued again: its number there, and here. */
	readonly names: readonly (readonly [old: number, n: number])[];
	/** What was unsent there and is at the relay under another name, by its number there. */
	readonly known?: readonly number[];
	/** The open cart as it was taken over, as JSON: as long as it is this one, the book before has the say. */
	readonly cart?: string;
}

/** Facts of one device in a row that are on this device alone. */
export interface AloneRange {
	readonly code: string;
	/** First and last n, both inside. */
	readonly from: number;
	readonly to: number;
	/** Why the relay would not have them. */
	readonly reason: string;
	/** The database that has them, where it is the book of a device that this one was before. */
	readonly book?: string;
}

/** How far this device has come with handing in what a restored relay forgot. */
export interface CarryPlace {
	readonly epoch: number;
	/** Which time from the beginning; left out by an older program. */
	readonly pass?: number;
	/** The last fact that was looked at, by code and number. */
	readonly code: string;
	readonly n: number;
	/** Facts that the relay would not have for now. */
	readonly left: number;
	readonly isDone: boolean;
	/** What the relay would not have of devices, as far as this has come. */
	readonly found?: readonly AloneRange[];
}

/** A sale of the open cart: its number on this device, and what it took of the cart. */
export interface CartSold {
	readonly sale: number;
	readonly lines: readonly SoldGoods[];
}

/** So much of a product at a price, or of what only has a name. */
export interface SoldGoods {
	readonly productId?: ProductId | undefined;
	readonly name: string;
	readonly unitPriceMinor: number;
	readonly quantityThousandths: number;
}

/** What the `meta` table holds under each key. */
export interface MetaValues {
	readonly identity: Identity;
	/** The device's key pair; the private half cannot be read. */
	readonly keys: CryptoKeyPair;
	readonly sequence: Sequence;
	readonly stamp: Stamp;
	readonly feed: FeedPlace;
	readonly checkpoint: CheckpointPlace;
	/** Which piece of the checkpoint is to be fetched next; absent when all of it is here. */
	readonly checkpointNext: CheckpointNext | null;
	/** All that the relay has up to the feed's place, while pieces of a checkpoint are on their way. */
	readonly reached: CheckpointPlace | null;
	/** Facts that were counted and let go: they are not counted again, and not kept. */
	readonly pruned: NumberRanges;
	/** The business day up to which sales were let go, by branch. */
	readonly prunedTo: Readonly<Record<string, string>>;
	/** What is sold most, as the relay saw it when this device began. */
	readonly often: readonly ProductId[];
	/** What to add to this device's clock to have the relay's, ms. */
	readonly offset: number;
	/** The database epoch that the relay's last hello named. */
	readonly epoch: number;
	/** Set when an epoch is new to this device. */
	readonly carry: CarryPlace;
	/** What nobody but this device is known to have, and is not in its journal. */
	readonly alone: readonly AloneRange[];
	/** Texts that were here under names that the relay has with another: to be handed in once. */
	readonly apart: readonly FactRow[];
	/** Whether the checkpoint that this device began with holds what a restored relay forgot. */
	readonly isCheckpointLost: boolean;
	/** How far back the idle history has come: everything above this number of the feed is here. */
	readonly history: FeedPlace;
	/** The documents that have a database of their own on this device. */
	readonly documents: readonly string[];
	/** When the relay last answered, ms by the corrected clock. */
	readonly contactAt: number;
	/** Which phone of which customer this is, in a customer's database. */
	readonly phone: PhoneIdentity;
	/** What a customer's codes are made from, the latest first; the bytes cannot be read. */
	readonly secrets: readonly HeldSecret[];
	/** The one that a program kept which knew of no second; what it is called cannot be known. */
	readonly secret: CryptoKey;
	/** Up to when a customer read what the days themselves told him, ms. */
	readonly readUpTo: number;
	/** The last message of each record that may still be answered, by H. */
	readonly sms: Readonly<Record<string, SmsSent>>;
	readonly notices: NoticeMarks;
	/** The revision of the latest tally. */
	readonly tallies: number;
	readonly heir: HeirToBe;
	/** When the relay first let this device in no more, ms by its own clock. */
	readonly removedAt: number;
	/** When it first said that it knows no such device: it was restored from before it joined. */
	readonly unknownAt: number;
	/** The database of the device that this one was until its access was ended. */
	readonly leftBehind: string;
	readonly inheritance: Inheritance;
	/** The open cart; its form is the till's. */
	readonly cart: unknown;
	/** The sale that emptied the cart last. */
	readonly cartSold: CartSold;
}

/** Every row of `meta` was written by `metaRow`, so its value is of its key's form. */
export async function readMeta<K extends keyof MetaValues>(
	rows: StoreReader,
	key: K
): Promise<MetaValues[K] | undefined> {
	const row = await rows.get('meta', key);
	return row?.value as MetaValues[K] | undefined;
}

/** The same, of a store, with nothing else beside it. */
export function heldMeta<K extends keyof MetaValues>(
	store: Pick<DeviceStore, 'read'>,
	key: K
): Promise<MetaValues[K] | undefined> {
	return store.read(['meta'], (rows) => readMeta(rows, key));
}

function metaRow<K extends keyof MetaValues>(key: K, value: MetaValues[K]): MetaRow {
	return { key, value };
}

export async function writeMeta<K extends keyof MetaValues>(
	rows: StoreWriter,
	key: K,
	value: MetaValues[K]
): Promise<void> {
	await rows.put('meta', [metaRow(key, value)]);
}
