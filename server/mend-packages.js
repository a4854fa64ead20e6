// Run after each installation (`node server/mend-packages.js`); what is mended already stays as it is.
// Plain JavaScript without packages.
//
// Mends what postgres 3.4.9 does when a connection is lost, and how it sends statements that do not
// wait for each other, in its files under node_modules. Drop that when a version does by itself what
// is listed here: tests/fault/driver.test.ts says so.
//
// And Node reads the package.json above each module that it loads, and parses the whole list of what
// its package exports: of drizzle-orm 179 kB each time, a third of a server's start. So the folders of
// drizzle-orm get one of their own, and the list is written short: its outermost modules, which all the
// others import, cost half of the rest. Drop that when Node parses the list no oftener than it asks for it.

import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DRIVER = fileURLToPath(new URL('../node_modules/postgres/src', import.meta.url));
const DRIZZLE = fileURLToPath(new URL('../node_modules/drizzle-orm', import.meta.url));
/** What drizzle-orm's own says of its modules. */
const NEAR = '{"type":"module"}\n';

/** What drizzle-orm says of most of its modules, each by its own name. */
const LIKE_ITS_FILE = {
	import: { types: './*.d.ts', default: './*.js' },
	require: { types: './*.d.cts', default: './*.cjs' },
	types: './*.d.ts',
	default: './*.js'
};

/** @typedef {{ file: string, why: string, from: string, to: string }} Mend */
/** @typedef {{ exports: Record<string, unknown> }} Manifest */

/** @type {readonly Mend[]} */
const MENDS = [
	{
		file: 'connection.js',
		why: 'a write that comes after the end of its socket threw where nobody could catch it',
		from: `  function nextWrite(fn) {
    const x = socket.write(chunk, fn)
`,
		to: `  function nextWrite(fn) {
    if (socket === null) {
      chunk = nextWriteTimer = null
      error(Errors.connection('CONNECTION_CLOSED', options, socket))
      return false
    }
    const x = socket.write(chunk, fn)
`
	},
	{
		file: 'connection.js',
		why: 'each statement of a transaction that is sent without waiting left in a write of its own, and woke the database and us once more',
		from: `    if (fn || chunk.length >= 1024)
      return nextWrite(fn)
`,
		to: `    if (fn || chunk.length >= 1024) {
      if (socket !== null && socket.writableCorked === 0) {
        socket.cork()
        process.nextTick(x => x.uncork(), socket)
      }
      return nextWrite(fn)
    }
`
	},
	{
		file: 'connection.js',
		why: 'what is gathered until then would count as a socket that is full, and those behind it go one at a time, each after the answer to the one before',
		from: `      return write(toBuffer(q))
        && !q.describeFirst
`,
		to: `      write(toBuffer(q))
      return !q.describeFirst
`
	},
	{
		file: 'connection.js',
		why: 'a write that waited when its socket ended kept all later ones of the connection waiting',
		from: `    incomings = null
    clearImmediate(nextWriteTimer)
    socket.removeListener('data', data)
`,
		to: `    incomings = null
    clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    socket.removeListener('data', data)
`
	},
	{
		file: 'connection.js',
		why: 'the same where the connection is given up',
		from: `    clearImmediate(nextWriteTimer)
    if (socket) {
`,
		to: `    clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    if (socket) {
`
	},
	{
		file: 'connection.js',
		why: 'one that was given up while nobody read its rows was never closed, and kept the program running',
		from: `      socket.readyState === 'open' && socket.end(b().X().end())
`,
		to: `      if (socket.isPaused())
        socket.destroy()
      socket.readyState === 'open' && socket.end(b().X().end())
`
	},
	{
		file: 'connection.js',
		why: 'a query that came between the fault and the end of a socket was never answered, and the next connection gave its answers to the wrong queries',
		from: `    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
`,
		to: `    if (query || sent.length)
      error(Errors.connection('CONNECTION_CLOSED', options, socket))
    query = results = errorResponse = null
    result = new Result()
`
	},
	{
		file: 'connection.js',
		why: 'its own first question on a connection that was lost failed where nobody could catch it',
		from: `        return fetchArrayTypes()
`,
		to: `        return fetchArrayTypes().catch(() => undefined)
`
	},
	{
		file: 'index.js',
		why: 'a transaction whose connection was lost',
		from: `      , connection
      , prepare = null

    try {
      await sql.unsafe('begin '`,
		to: `      , connection
      , lost = null
      , prepare = null

    try {
      await sql.unsafe('begin '`
	},
	{
		file: 'index.js',
		why: 'went on, and rolled back, on the connection that was made in its place,',
		from: `        new Promise((_, reject) => connection.onclose = reject)
`,
		to: `        new Promise((_, reject) => connection.onclose = e => {
          lost = e
          reject(e)
        })
`
	},
	// By what is heard alone: a socket's own timeout begins anew with each statement that others write to it.
	{
		file: 'connection.js',
		why: 'whoever asked a machine that is gone without a word waited until TCP gave up, a quarter of an hour',
		from: `      keep_alive && socket.setKeepAlive && socket.setKeepAlive(true, 1000 * keep_alive)
`,
		to: `      keep_alive && socket.setKeepAlive && socket.setKeepAlive(true, 1000 * keep_alive)
      if (options.silence) {
        const own = socket
        let silent = 0
        own.on('data', () => silent = 0)
        const look = setInterval(() => {
          silent = query || sent.length ? silent + 1 : 0
          if (silent > 4)
            own.destroy(Object.assign(new Error('The database says nothing any more.'), { code: 'ETIMEDOUT' }))
        }, options.silence / 4)
        look.unref()
        own.once('close', () => clearInterval(look))
      }
`
	},
	{
		file: 'index.js',
		why: 'knows no limit of its own to that',
		from: `    socket          : o.socket,
`,
		to: `    socket          : o.socket,
    silence         : o.silence,
`
	},
	{
		file: 'index.js',
		why: 'in the middle of whoever has it by then',
		from: `        q.catch(e => uncaughtError || (uncaughtError = e))
        c.queue === full
`,
		to: `        q.catch(e => uncaughtError || (uncaughtError = e))
        if (lost)
          return q.reject(lost)
        c.queue === full
`
	}
];

/**
 * Mends what is installed. Throws where the driver is another than the one that is known.
 * @returns {void}
 */
export function mendPackages() {
	if (existsSync(DRIVER)) mendDriver();
	if (!existsSync(DRIZZLE)) return;
	writeNearScopes();
	shortenExports();
}

function mendDriver() {
	for (const file of new Set(MENDS.map((mend) => mend.file))) {
		const place = path.join(DRIVER, file);
		const found = readFileSync(place, 'utf8');
		const mended = MENDS.filter((mend) => mend.file === file).reduce(mendText, found);
		if (mended !== found) writeWhole(place, mended);
	}
}

function writeNearScopes() {
	for (const folder of readdirSync(DRIZZLE, { withFileTypes: true })) {
		const near = path.join(DRIZZLE, folder.name, 'package.json');
		if (folder.isDirectory() && !existsSync(near)) writeWhole(near, NEAR);
	}
}

/** Every name leads where it led: one line says it of all that are called as their files are. */
function shortenExports() {
	const place = path.join(DRIZZLE, 'package.json');
	/** @type {(text: string) => Manifest} */
	const parse = JSON.parse;
	const found = parse(readFileSync(place, 'utf8'));
	if ('./*' in found.exports) return;
	const likeItsFile = JSON.stringify(LIKE_ITS_FILE);
	const others = Object.entries(found.exports).filter(
		([name, to]) => JSON.stringify(to) !== likeItsFile.replaceAll('./*', name)
	);
	const exports = { ...Object.fromEntries(others), './*': LIKE_ITS_FILE };
	writeWhole(place, JSON.stringify({ ...found, exports }));
}

/**
 * @param {string} file
 * @param {string} text
 */
function writeWhole(file, text) {
	const draft = `${file}.${String(process.pid)}`;
	writeFileSync(draft, text);
	renameSync(draft, file);
}

/**
 * @param {string} text
 * @param {Mend} mend
 * @returns {string}
 */
function mendText(text, { file, from, to, why }) {
	if (text.includes(to)) return text;
	if (text.split(from).length !== 2) {
		throw new Error(`postgres/src/${file} is not the one that is known to be wrong: ${why}.`);
	}
	return text.replace(from, () => to);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) mendPackages();
