import { expect, it, vi } from 'vitest';
import { parseBusinessId, parseDeviceCode, type BusinessId, type DeviceCode } from '#domain/ids.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { databaseName } from './database-name.ts';
import { createRegistry } from './registry.ts';

function business(letter: string): BusinessId {
	const parsed = parseBusinessId(`${letter.repeat(8)}-2222-4333-8444-555555555555`);
	if (!parsed.ok) throw new Error('no business');
	return parsed.value;
}

function code(letters: string): DeviceCode {
	const parsed = parseDeviceCode(letters);
	if (!parsed.ok) throw new Error('no device code');
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

it('[START-2] opens the book of the business at once, and writes at the first start alone', async () => {
	const store = createMemoryDeviceStore();
	const registry = createRegistry(store);
	const first = await registry.open(business('a'));
	expect(first).toEqual({ business: business('a'), book: databaseName(business('a')) });
	await registry.succeed(business('a'), databaseName(business('a')), code('C'));
	const write = vi.spyOn(store, 'write');
	const later = await registry.open(business('b'));
	expect(later).toEqual({ business: business('a'), book: databaseName(business('a'), code('C')) });
	expect(write).not.toHaveBeenCalled();
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

it('[HEIR-10] opens the book of the last heir, though a page comes late with the one before', async () => {
	const registry = createRegistry(createMemoryDeviceStore());
	const shop = business('a');
	const [first, second, third] = [undefined, code('B'), code('C')].map((of) =>
		databaseName(shop, of)
	);
	if (first === undefined || second === undefined) throw new Error('no name');
	await registry.begin(shop);
	await registry.enter(business('b'));
	await registry.succeed(shop, first, code('B'));
	expect(await registry.bookOf(shop)).toBe(second);
	await registry.succeed(shop, second, code('C'));
	await registry.succeed(shop, first, code('B'));
	expect(await registry.bookOf(shop)).toBe(third);
	expect(await registry.current()).toBe(business('b'));
});

it('[HEIR-12] keeps what a book became beside the one by which its business was joined meanwhile', async () => {
	const registry = createRegistry(createMemoryDeviceStore());
	await registry.begin(business('a'));
	await registry.enter(business('a'), code('C'));
	for (const _late of [1, 2]) await registry.replace(business('a'), business('b'));
	expect([await registry.current(), await registry.all()]).toEqual([
		business('a'),
		[business('a'), business('b')]
	]);
});
