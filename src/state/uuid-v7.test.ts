import fc from 'fast-check';
import { expect, it } from 'vitest';
import { uuidV7 } from './uuid-v7.ts';

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

it('[START-3] writes the example of RFC 9562', () => {
	const random = Uint8Array.from([
		0, 0, 0, 0, 0, 0, 0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f
	]);
	expect(uuidV7(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
});

it('[START-3] sorts by its time, whatever the chance', () => {
	const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
	const time = fc.integer({ min: 0, max: 2 ** 47 });
	fc.assert(
		fc.property(time, bytes, bytes, (at, a, b) => {
			const [earlier, later] = [uuidV7(at, a), uuidV7(at + 1, b)];
			expect(earlier).toMatch(FORM);
			expect(earlier < later).toBe(true);
		})
	);
});
