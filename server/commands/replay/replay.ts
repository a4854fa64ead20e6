import { assert } from '#domain/assert.ts';
import type { PlacedFact } from '#domain/fact/fold.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { ok, type Result } from '#domain/result.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import type { Database } from '#server/database/connect.ts';
import { readCheckpoint } from '#server/projections/checkpoint.ts';
import { createAccountApi } from '#state/account-api.ts';
import { waitUntilCaughtUp } from './catch-up.ts';
import { createChance } from './chance.ts';
import { rowsOfCheckpoint } from './checkpoint-rows.ts';
import { expectedTotals } from './expected-totals.ts';
import type { ReplayOptions } from './arguments.ts';
import { judge } from './judgement.ts';
import { linesOfFacts, linesOfTables } from './lines.ts';
import { startOwnServer } from './own-server.ts';
import { accepted, foundShop, joinShop, type Founder, type Player, type PlayerParts } from './player.ts';
import { reportOf, type ReplayReport } from './report.ts';
import { planTrade } from './schedule.ts';
import { createShopClock } from './shop-clock.ts';
import { rowsOfFacts, rowsOfStore } from './shop-rows.ts';
import { createStopwatch, type Stopwatch } from './stopwatch.ts';
import { readTradeFile, type TradeFileRow } from './trade-file.ts';
import { readTrade, type Trade } from './trade-rules.ts';
import { playTrade } from './trade-run.ts';

export interface ReplayParts {
	/** Hears of progress and of what does not agree, a line at a time. */
	readonly tell: (line: string) => void;
	/** Rejects when somebody wants it to end. */
	readonly interrupted: Promise<never>;
}
