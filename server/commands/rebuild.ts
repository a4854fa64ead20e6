import { createNodeCrypto } from '#server/crypto.ts';
import { createProject } from '#server/projections/project.ts';
import { runCommand, type CommandRun } from './keeping/command.ts';
import { openBeside } from './keeping/open-database.ts';
import { rebuildAll } from './keeping/rebuild-projections.ts';

/** `npm run rebuild`: the projections of every business again from its facts, beside a running Daftar or without. */
await runCommand(rebuild);

async function rebuild({ environment, args, running }: CommandRun): Promise<void> {
	if (args.length > 0) throw new Error('Say only: npm run rebuild');
	const { sql } = await openBeside(environment, running, 1);
	let businesses = 0;
	for await (const { business, facts } of rebuildAll({
		sql,
		project: createProject(createNodeCrypto())
	})) {
		businesses += 1;
		console.log(`${business}  ${facts.toLocaleString('en')} facts`);
	}
	console.log(`Made the projections of ${String(businesses)} businesses again.`);
}
