import { connect, marks } from './connected.ts';
import { writeRecord } from './shop.ts';
import { button, expect, go, say, test } from './stand.ts';

test('walk', async ({ browser }) => {
	const { shop, amina } = await connect(browser);
	for (const [n, p] of [['shop', shop], ['amina', amina]] as const) {
		p.on('console', (m) => console.log(n, m.type(), m.text()));
		p.on('pageerror', (e) => console.log(n, 'PAGEERROR', e.stack));
		p.on('response', (r) => { if (r.status() >= 400) console.log(n, r.status(), r.url()); });
	}
	await writeRecord(shop, 'gave', '500');
	await expect(marks(shop).last()).toHaveText(/waiting/i);
	await button(shop, say('later')).or(shop.locator('button.choice', { hasText: say('counter.later') })).first().click();
	await go(amina, '/me/answer');
	await expect(amina.getByText('500').first()).toBeVisible();
	await button(amina, say('me.agree')).click();
	await expect(marks(shop).last()).toHaveText(say('mark.agreed', { name: 'Amina' }));
	await shop.context().setOffline(true);
	await writeRecord(shop, 'gave', '700');
	await shop.context().setOffline(false);
	await expect(amina.getByText('700').first()).toBeVisible();
	await amina.context().setOffline(true);
	await button(amina, say('me.agree')).click();
	await go(amina, '/me');
	await amina.context().setOffline(false);
	await expect(marks(shop).last()).toHaveText(say('mark.agreed', { name: 'Amina' }), { timeout: 25_000 });
});
