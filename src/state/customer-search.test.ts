import { describe, expect, it } from 'vitest';
import { searchKey } from '#domain/text.ts';
import { searchCustomers } from './customer-search.ts';

function customer(name: string, phone: string): { name: string; phone: string; searchKey: string } {
	return { name, phone, searchKey: searchKey(`${name} ${phone}`) };
}

const AMINA = customer('Amina Hassan', '0722 418 903');
const KEVIN = customer('Kévin Kiprop', '+254 700 111 222');
const AHMAD = customer('أحمد علي', '0770 000 111');
const ALL = [AMINA, KEVIN, AHMAD];

describe('customers', () => {
	it.each([
		['', ALL],
		['  ', ALL],
		['amina', [AMINA]],
		['hassan ami', [AMINA]],
		['kevin', [KEVIN]],
		['احمد', [AHMAD]],
		['903', [AMINA]],
		['418903', [AMINA]],
		['٤١٨٩٠٣', [AMINA]],
		['1112', [KEVIN]],
		['9', [AMINA]],
		['nobody', []]
	])('are found by %j', (query, found) => {
		expect(searchCustomers(ALL, query)).toEqual(found);
	});
});
