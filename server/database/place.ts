import { readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';

/** Where process numbers mean the same: one machine since it was switched on, and in it one container. */
export interface Place {
	readonly host: string;
	/** Of the machine's running kernel; empty where it names none. */
	readonly boot: string;
	/** Of the numbers of processes; empty where there is but one. */
	readonly namespace: string;
}

/** Where this process is. */
export function readPlace(): Place {
	return {
		host: os.hostname(),
		boot: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
		namespace: orEmpty(() => readlinkSync('/proc/self/ns/pid'))
	};
}

/** A container may have the name of one on another machine; a kernel's boot is nobody else's. */
export function isSamePlace(a: Place, b: Place): boolean {
	if (a.boot !== b.boot || a.namespace !== b.namespace) return false;
	return a.boot !== '' || a.host === b.host;
}

/** As JSON has it. Undefined for what is none. */
export function parsePlace(value: object): Place | undefined {
	const { host, boot, namespace } = value as Readonly<Record<string, unknown>>;
	const isPlace = [host, boot, namespace].every((part) => typeof part === 'string');
	return isPlace
		? { host: String(host), boot: String(boot), namespace: String(namespace) }
		: undefined;
}

function orEmpty(read: () => string): string {
	try {
		return read();
	} catch {
		return '';
	}
}
