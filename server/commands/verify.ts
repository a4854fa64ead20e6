import { createNodeCrypto } from '#server/crypto.ts';
import { createProject } from '#server/projections/project.ts';
import { runCommand, type CommandRun } from './keeping/command.ts';
import { CHECKS } from './keeping/differences.ts';
import { openBeside } from './keeping/open-database.ts';
import { verifyAll, type Verified } from './keeping/verify-all.ts';

/** How many differences are named one by one. */
const NAMED_MAX = 100;

/** `npm run verify`: compares facts, documents, feed and projections, and exits with 1 where they differ. */
await runCommand(verify);

async function verify({ environment, args, running }: CommandRun): Promise<void> {
	if (args.length > 0) throw new Error('Say only: npm run verify');
	const { sql } = await openBeside(environment, running, 1);
	const startedAt = Date.now();
	const verified = await verifyAll({ sql, project: createProject(createNodeCrypto()) });
	print(verified, Date.now() - startedAt);
	if (verified.differences.named.length > 0) process.exitCode = 1;
}

function print({ letIn, lostLinks, ...verified }: Verified, ms: number): void {
	const { scopes, facts, documents, differences } = verified;
	const { named, wrong } = differences;
	for (const { check, scope, what } of named.slice(0, NAMED_MAX)) {
		console.log(`${check}  ${scope}  ${what}`);
	}
	for (const { business, who, removedAt, toldBy } of letIn.slice(0, NAMED_MAX)) {
		const on = new Date(removedAt).toISOString();
		console.log(
			`access  ${business}  ${who} has access, and device ${toldBy} says that it ended at ${on}: its owner may remove it anew`
		);
	}
	for (const { scope, business, ledger, since } of lostLinks.slice(0, NAMED_MAX)) {
		const [side, on] = [
			scope === business ? 'the shop' : 'the customer',
			new Date(since).toISOString()
		];
		console.log(
			`connection  ${business}  ledger ${ledger} was connected at ${on}, as ${side} alone has said since the restore: it stands again when the other side does, or is made anew`
		);
	}
	console.table(
		CHECKS.map((check) => ({ check, wrong: wrong[check] })),
		['check', 'wrong']
	);
	console.log(
		JSON.stringify({
			verify: {
				...{ scopes, facts, documents, ms, wrong },
				...{ letIn: letIn.length, lostLinks: lostLinks.length }
			}
		})
	);
}
