import type { Sql } from 'postgres';
import type { CreateProvider } from '#state/relay-provider.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import type { DocumentsHost } from '#storage/documents-host.ts';
import type { Disk } from './disk-contents.ts';

/** A deliberate fault, put in at the seams of the simulated machines; none by default. */
export interface Canary {
	readonly name: string;
	/** Changes the database itself, before the first seed. */
	readonly database?: (sql: Sql) => Promise<void>;
	/** What a relay's statement becomes; the same where it is none of this canary's. */
	readonly statement?: (text: string) => string;
	/** How a relay's transactions go wrong. */
	readonly transaction?: TransactionCanary;
	readonly relay?: RelayCanary;
	/** Stands around a device's store. */
	readonly store?: (store: DeviceStore, disk: Disk) => DeviceStore;
	/** What a disk does before each write, and when its process dies. */
	readonly disk?: DiskCanary;
	readonly documents?: (host: DocumentsHost, disk: Disk) => DocumentsHost;
	readonly provider?: (create: CreateProvider, disk: Disk) => CreateProvider;
}

export interface TransactionCanary {
	/** Whoever asked is answered before the COMMIT. */
	readonly answersBeforeCommit?: boolean;
	/** Before a statement like this, all until then is committed. */
	readonly commitsBefore?: RegExp;
	/** Numbers of the feed that a rolled back transaction took stay taken. */
	readonly keepsFeedNumbers?: boolean;
}

export interface RelayCanary {
	/** It believes that it is told of everything. */
	readonly neverLooks?: boolean;
}

export interface DiskCanary {
	/** Called before each write with what the disk holds. */
	readonly beforeWrite?: (disk: Disk) => Promise<void>;
	readonly onDeath?: (disk: Disk) => void;
	/** Whether a write that found no room says nothing of it. */
	readonly swallowsAbort?: boolean;
}

export const NO_CANARY: Canary = { name: 'none' };
