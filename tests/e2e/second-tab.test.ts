import { amountTile, button, expect, openTill, say, tapPad, test } from './stand.ts';

test('a second tab looks only, says so, and takes over when the first closes', async ({
	context,
	page
}) => {
	await openTill(page);
	await amountTile(page).click();
	await tapPad(page, '70');
	await button(page, say('sell.addToSale')).click();
	await expect(button(page, say('sell.exact'))).toBeEnabled();

	const second = await context.newPage();
	await openTill(second);
	const note = second.getByText(say('strip.readOnly'));
	await expect(note).toBeVisible();
	await expect(button(second, say('sell.exact'))).toBeDisabled();
	await expect(page.getByText(say('strip.readOnly'))).toBeHidden();

	await page.close();
	await expect(note).toBeHidden();
	await button(second, say('sell.exact')).click();
	await expect(second.getByText(say('done.noChange'))).toBeVisible();
});
