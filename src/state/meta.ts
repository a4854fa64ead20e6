import type { MetaRow, StoreReader, StoreWriter } from '#storage/device-store.ts';
import type { Stamp } from '#domain/stamp.ts';
import type { PhoneIdentity } from './customer/phone-identity.ts';
import type { Identity } from './identity.ts';

/** First and last n of one device's facts, both inside. */
export type NumberRange = readonly [from: number, to: number];

/** The place of this device in the business's feed. */
export interface FeedPlace {
	readonly epoch: number;
	readonly s: number;
}

/** What a device took from the relay in one piece, instead of all facts up to `s`. */
export interface CheckpointPlace extends FeedPlace {
	/** Which facts are inside, by device code. */
	readonly ranges: Readonly<Record<string, readonly NumberRange[]>>;
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

/** What the `meta` table holds under each key. */
export interface MetaValues {
	readonly identity: Identity;
	/** The device's key pair; the private half cannot be read. */
	readonly keys: CryptoKeyPair;
	readonly sequence: Sequence;
	/** Chance drawn for the last act that was written: it knows itself again by it. */
	readonly lastAct: string;
	readonly stamp: Stamp;
	readonly feed: FeedPlace;
	readonly checkpoint: CheckpointPlace;
	/** What to add to this device's clock to have the relay's, ms. */
	readonly offset: number;
	/** The database epoch that the relay's last hello named. */
	readonly epoch: number;
	/** How far back the idle history has come: everything above this number of the feed is here. */
	readonly history: FeedPlace;
	/** The documents that have a database of their own on this device. */
	readonly documents: readonly string[];
	/** When the relay last answered, ms by the corrected clock. */
	readonly contactAt: number;
	/** The kinds of facts that were folded so far. */
	readonly kinds: readonly string[];
	/** Which phone of which customer this is, in a customer's database. */
	readonly phone: PhoneIdentity;
	/** What a customer's codes are made from; its bytes cannot be read. */
	readonly secret: CryptoKey;
	/** Up to when a customer read what the days themselves told him, ms. */
	readonly readUpTo: number;
	/** The last message of each record that may still be answered, by H. */
	readonly sms: Readonly<Record<string, SmsSent>>;
	readonly notices: NoticeMarks;
	/** The revision of the latest tally. */
	readonly tallies: number;
	/** The open cart; its form is the till's. */
	readonly cart: unknown;
}

/** Every row of `meta` was written by `metaRow`, so its value is of its key's form. */
export async function readMeta<K extends keyof MetaValues>(
	rows: StoreReader,
	key: K
): Promise<MetaValues[K] | undefined> {
	const row = await rows.get('meta', key);
	return row?.value as MetaValues[K] | undefined;
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
