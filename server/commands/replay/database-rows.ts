import type { Database } from '#server/database/connect.ts';
import { readCheckpoint } from '#server/projections/checkpoint.ts';
import { createAccountApi } from '#state/account-api.ts';
import { rowsOfCheckpoint } from './checkpoint-rows.ts';
import { linesOfTables, type LineCounts } from './lines.ts';
import { accepted, type Player } from './player.ts';
import type { ShopRows } from './shop-rows.ts';

export interface TablesPlace {
	/** Null where the server is another's: then its checkpoint says what stands in its tables. */
	readonly database: Database | null;
	readonly player: Player;
}

export interface TableRows {
	readonly rows: ShopRows;
	/** Null where only the checkpoint can be read. */
	readonly lines: LineCounts | null;
}

/** What stands in PostgreSQL of the player's business. */
export async function readTables({ database, player }: TablesPlace): Promise<TableRows> {
	const { business } = player.device.identity;
	const checkpoint =
		database === null
			? await fetchCheckpoint(player)
			: await readCheckpoint(database.sql, business, EPOCH_UNREAD);
	return {
		rows: accepted('the checkpoint', rowsOfCheckpoint(checkpoint)),
		lines: database === null ? null : await linesOfTables(database.sql, business)
	};
}

/** The checkpoint says it again, and its rows do not depend on it. */
const EPOCH_UNREAD = 0;

async function fetchCheckpoint({ device, network, signer, url }: Player): Promise<unknown> {
	const { business, branch, code } = device.identity;
	const api = createAccountApi({ fetch: network.fetch, base: url });
	const { token } = accepted('a token', await api.deviceToken({ business, code }, signer));
	const response = await network.fetch(`${url}/api/checkpoint?branch=${branch}`, {
		headers: { authorization: `Bearer ${token}` }
	});
	return response.json();
}
