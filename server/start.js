// `npm start`: makes ready what is missing, then runs the server under Node 24 and ends as it ends.
// Plain JavaScript without packages, because it runs before there are any.

import { spawn } from 'node:child_process';
import { build, install, NODE, Refusal, ROOT, withPrograms } from './prepare.js';

const NODE_MAJOR_MIN = 20;
const PARENT_POLL_MS = 250;

try {
	if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
		throw new Refusal(
			`Daftar needs Node ${String(NODE_MAJOR_MIN)} or newer, this is ${process.version}.`
		);
	}
	await install();
	await build();
	serve();
} catch (fault) {
	process.stderr.write(`${fault instanceof Refusal ? fault.message : String(fault)}\n`);
	process.exitCode = 1;
}

function serve() {
	// The channel is there to break: the server stops when we are killed without a chance to ask.
	const server = spawn(NODE, ['server/main.ts', ...process.argv.slice(2)], {
		cwd: ROOT,
		env: withPrograms(),
		stdio: ['inherit', 'inherit', 'inherit', 'ipc']
	});
	for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
		process.on(signal, () => server.kill(signal));
	}
	stopWithNpm(server);
	server.once('error', (error) => {
		process.stderr.write(`The server could not be started: ${error.message}\n`);
		process.exitCode = 1;
	});
	server.once('exit', (code) => {
		process.exit(code ?? 1);
	});
}

/**
 * A killed npm tells nobody; we only see that our parent has changed. Not watched where npm did
 * not start us: a shell may leave on purpose.
 * @param {import('node:child_process').ChildProcess} server
 */
function stopWithNpm(server) {
	if (process.env['npm_lifecycle_event'] !== 'start') return;
	const parent = process.ppid;
	const watch = setInterval(() => {
		if (process.ppid === parent) return;
		clearInterval(watch);
		server.kill('SIGTERM');
	}, PARENT_POLL_MS);
	watch.unref();
}
