import type { Page } from '@playwright/test';
import {
	addCustomer,
	agreeTo,
	choice,
	codeFits,
	customerInvite,
	expectMark,
	makeCodes,
	shopRow,
	tapCode,
	test
} from './connected.ts';
import { codeSentTo, e164, freshPhone, signUpHere, signUpStore } from './people.ts';
import { writeRecord } from './shop.ts';
import { button, expect, go, openTill, say } from './stand.ts';

const JUMA = { name: 'Juma' };

test('a customer with no app is linked by a code to the phone; a line is agreed to by SMS; another number asks the old one first; then the customer takes the app, finds it all there, and has codes sent (F1, F4, F7)', async ({
	phone
}) => {
	const shop = await phone();
	await openTill(shop);
	await signUpStore(shop);
	await go(shop, '/shop/more/ledger');
	await shop.getByRole('switch', { name: new RegExp(say('rules.sms.on')) }).click();
	await button(shop, say('rules.save')).click();
	await shop.waitForURL('**/shop/more');

	const [number, another] = [freshPhone(), freshPhone()];
	const jumasPage = await addCustomer(shop, 'Juma', number);
	await writeRecord(shop, 'gave', '90');
	await expectMark(shop, '90', ['record.book']);

	await go(shop, `${jumasPage}/link`);
	await choice(shop, say('link.way.phone')).click();
	await button(shop, say('link.phone.send')).click();
	await expect(shop.getByText(say('counter.practice'))).toBeVisible();
	await typeCode(shop, '12345');
	await expect(shop.getByText(say('prove.tooShort'))).toBeVisible();
	await typeCode(shop, await codeSentTo(shop, e164(number)));
	await expect(shop.getByRole('heading', { name: say('link.phone', JUMA) })).toBeVisible();

	await go(shop, jumasPage);
	await expectMark(shop, '90', ['mark.waiting']);
	await writeRecord(shop, 'gave', '400');
	await agreeBySms(shop, number);
	await expectMark(shop, '400', ['mark.agreed', 'Juma']);

	await go(shop, `${jumasPage}/link`);
	await choice(shop, say('link.way.number')).click();
	const label = shop.getByLabel(say('link.phone.label'), { exact: true });
	await label.fill(another);
	const before = await codeSentTo(shop, e164(number));
	await button(shop, say('link.phone.send')).click();
	await expect(shop.getByText(/A code went to the old one/)).toBeVisible();
	await expect.poll(() => codeSentTo(shop, e164(number))).not.toBe(before);
	await typeCode(shop, await codeSentTo(shop, e164(number)));
	await expect(shop.getByText(/^A code went to …/)).toBeVisible();
	await typeCode(shop, await codeSentTo(shop, e164(another)));
	await expect(shop.getByText(new RegExp(`${another.slice(-3)} may get codes`))).toBeVisible();
	await go(shop, jumasPage);
	await expectMark(shop, '400', ['mark.agreed', 'Juma']);
	await writeRecord(shop, 'gave', '60');
	await agreeBySms(shop, another);
	await expectMark(shop, '60', ['mark.agreed', 'Juma']);

	const juma = await phone();
	await juma.goto(await customerInvite(shop, jumasPage));
	await expect(juma.getByText(/550/)).toBeVisible();
	await button(juma, say('me.invite.signUp')).click();
	await signUpHere(juma, another);
	await button(juma, /^Connect with/).click();
	await juma.waitForURL('**/me');
	await shopRow(juma).click();
	// By the number of before, which may have been another's.
	await expectMark(juma, '400', ['me.mark.agreedBefore']);
	await expectMark(juma, '60', ['me.mark.agreedSms']);
	await agreeTo(juma, '90');
	await go(shop, jumasPage);
	await expectMark(shop, '90', ['mark.agreed', 'Juma']);

	const [first = ''] = await makeCodes(juma, '2000');
	await button(juma, say('me.codes.sms')).click();
	await expect(juma.getByText(say('me.codes.sent'))).toBeVisible();
	const outbox = await shop.request.get(new URL('/outbox', shop.url()).href);
	expect(await outbox.text()).toContain(`${first.slice(0, 4)} ${first.slice(4)}`);
});

async function agreeBySms(shop: Page, number: string): Promise<void> {
	const before = await codeSentTo(shop, e164(number));
	await choice(shop, say('counter.sms')).click();
	await expect(shop.getByText(say('counter.practice'))).toBeVisible();
	await expect.poll(() => codeSentTo(shop, e164(number))).not.toBe(before);
	await tapCode(shop, await codeSentTo(shop, e164(number)));
	await codeFits(shop);
}

async function typeCode(shop: Page, code: string): Promise<void> {
	await shop.getByLabel(say('link.phone.code', JUMA), { exact: true }).fill(code);
	await button(shop, say('link.phone.do')).click();
}
