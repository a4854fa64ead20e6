import { Hono } from 'hono';

const ANSWER_MS_MAX = 2_000;

export interface HealthParts {
	/** Asks the database something; resolves once it has answered. */
	readonly askDatabase: () => Promise<unknown>;
	readonly version: string;
}

/** `GET /health`: whether this server can do its work now, the database asked each time. */
export function createHealth({ askDatabase, version }: HealthParts): Hono {
	const health = new Hono();
	health.get('/health', async (c) => {
		if (await answersInTime(askDatabase)) {
			return c.json({ status: 'ok', database: 'ok', version });
		}
		return c.json({ status: 'unavailable', database: 'unavailable', version }, 503);
	});
	return health;
}

async function answersInTime(ask: () => Promise<unknown>): Promise<boolean> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<boolean>((resolve) => {
		timer = setTimeout(resolve, ANSWER_MS_MAX, false);
	});
	const answered = ask().then(
		() => true,
		() => false
	);
	const isAlive = await Promise.race([answered, late]);
	clearTimeout(timer);
	return isAlive;
}
