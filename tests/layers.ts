import type { ICruiseOptions, IForbiddenRuleType } from 'dependency-cruiser';

/**
 * Who may import whom. Each layer sees itself and what its line names, and nothing else. What is
 * not named here, tests, `server/commands` and the files directly in `server`, puts parts together
 * and may see all.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
	'src/domain': [],
	'src/documents': ['src/domain'],
	'src/sync': [],
	'src/storage': ['src/domain'],
	'src/state': ['src/domain', 'src/documents', 'src/sync', 'src/storage'],
	'src/ui': ['src/domain'],
	'src/routes': ['src/domain', 'src/state', 'src/ui'],

	'server/database': ['src/domain'],
	'server/gateways': ['src/domain', 'server/database'],
	'server/auth': ['src/domain', 'server/database', 'server/gateways'],
	'server/bus': ['src/domain', 'server/auth', 'server/database'],
	'server/relay': [
		'src/domain',
		'src/documents',
		'src/sync',
		'server/auth',
		'server/bus',
		'server/database',
		'server/projections'
	],
	'server/projections': ['src/domain', 'src/documents', 'server/database'],
	'server/api': [
		'src/domain',
		'src/documents',
		'server/auth',
		'server/database',
		'server/gateways',
		'server/ledgers',
		'server/projections'
	],
	'server/bridge': ['src/domain', 'server/auth', 'server/database', 'server/ledgers'],
	'server/ledgers': ['src/domain', 'server/auth', 'server/database', 'server/gateways'],
	'server/judge': ['src/domain', 'server/database', 'server/gateways', 'server/ledgers'],
	'server/jobs': ['src/domain', 'server/database', 'server/projections']
};

/** The packages a layer may use. A layer that is not named may use any. */
const mayUse: Readonly<Record<string, readonly string[]>> = {
	'src/domain': [],
	'src/documents': ['yjs'],
	'src/sync': ['yjs', 'y-protocols', 'lib0'],
	'src/storage': ['yjs', 'y-indexeddb', 'dexie'],
	'src/ui': ['svelte', '@lucide/svelte', 'intl-messageformat', 'uqr', 'papaparse']
};

const layerRules = Object.entries(mayImport).map(([layer, others]): IForbiddenRuleType => ({
	name: `${layer} sees only ${[layer, ...others].join(', ')}`,
	severity: 'error',
	from: { path: `^${layer}/`, pathNot: '\\.test\\.ts$' },
	to: { path: '^(src|server|tests)/', pathNot: [layer, ...others].map((l) => `^${l}/`) }
}));

const packageRules = Object.entries(mayUse).map(([layer, packages]): IForbiddenRuleType => ({
	name: `${layer} uses only ${packages.join(', ') || 'the language'}`,
	severity: 'error',
	from: { path: `^${layer}/`, pathNot: '\\.test\\.ts$' },
	to: {
		dependencyTypes: [
			'core',
			'npm',
			'npm-dev',
			'npm-no-pkg',
			'npm-optional',
			'npm-peer',
			'npm-unknown'
		],
		pathNot: packages.map((name) => `node_modules/${name}/`)
	}
}));

export const layers: ICruiseOptions = {
	validate: true,
	ruleSet: {
		forbidden: [
			...layerRules,
			...packageRules,
			{
				name: 'src never sees server',
				severity: 'error',
				from: { path: '^src/' },
				to: { path: '^server/' }
			},
			{ name: 'no cycle', severity: 'error', from: {}, to: { circular: true } },
			{
				name: 'every import leads somewhere',
				severity: 'error',
				from: {},
				to: { couldNotResolve: true, pathNot: '^\\$(app|env|service-worker)' }
			}
		]
	},
	doNotFollow: { path: 'node_modules' },
	exclude: { path: '^tests/load/peers/node_modules' },
	tsPreCompilationDeps: true,
	enhancedResolveOptions: {
		exportsFields: ['exports'],
		conditionNames: ['svelte', 'import', 'types', 'node', 'default'],
		extensions: ['.ts', '.js', '.svelte']
	}
};
