import { expect, it } from 'vitest';
import { shortName } from './short-name.ts';

it.each([
	['Amina', 'Amina'],
	['Amina Hassan', 'Amina'],
	['Amina Hassan Ali', 'Amina'],
	['Mama Brian Otieno', 'Mama Brian'],
	['Dr. Wanjiru Kamau', 'Dr. Wanjiru'],
	['أم محمد البغدادي', 'أم محمد'],
	['  Kevin  Kiprop Ng ', 'Kevin'],
	['Maximilianopolous', 'Maximilianopolous'],
	['', '']
])('a button calls %j %j', (name, short) => {
	expect(shortName(name)).toBe(short);
});
