import type { Bus, TellBusEvent } from './bus.ts';
import { createPostgresBus } from './postgres-bus.ts';
import { createExchange } from './process-bus.ts';
import { createRedisBus } from './redis-bus.ts';

export interface BusPlace {
	/** `redis://`, `rediss://` or `postgresql://`; undefined where the operator names none. */
	readonly busUrl: string | undefined;
	/** Undefined for the embedded database, which one process alone can use. */
	readonly databaseUrl: string | undefined;
}

/**
 * BUS-6. The bus of an address; without one, that of the database itself, which every relay reaches
 * anyway. On the embedded database there is nobody else to tell.
 */
export function openBus({ busUrl, databaseUrl }: BusPlace, told: TellBusEvent): Bus {
	const url = busUrl ?? databaseUrl;
	if (url === undefined) return createExchange().join();
	return url.startsWith('redis') ? createRedisBus(url, told) : createPostgresBus(url, told);
}
