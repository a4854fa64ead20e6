import { expect, it } from 'vitest';
import { parseBusinessId, type BusinessId } from '#domain/ids.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { createRegistry } from './registry.ts';

function business(letter: string): BusinessId {
	const parsed = parseBusinessId(`${letter.repeat(8)}-2222-4333-8444-555555555555`);
	if (!parsed.ok) throw new Error('no business');
	return parsed.value;
}

it('[START-2] gives two tabs that begin together one business', async () => {
	const store = createMemoryDeviceStore();
	const begun = await Promise.all([
		createRegistry(store).begin(business('a')),
		createRegistry(store).begin(business('b'))
	]);
	expect(begun[0]).toBe(begun[1]);
	expect(await createRegistry(store).begin(business('c'))).toBe(begun[0]);
	expect(await createRegistry(store).all()).toEqual([begun[0]]);
});

it('[START-2] keeps the businesses of a device, and works in the one entered last', async () => {
	const registry = createRegistry(createMemoryDeviceStore());
	expect(await registry.current()).toBeUndefined();
	await registry.begin(business('a'));
	await registry.enter(business('b'));
	await registry.enter(business('b'));
	expect([await registry.current(), await registry.all()]).toEqual([
		business('b'),
		[business('a'), business('b')]
	]);
});
