import { tick } from 'svelte';

/** Leads to the first field of the form that was not taken, once its words stand there. */
export async function showFirstRefused(form: HTMLFormElement): Promise<void> {
	await tick();
	const field = form.querySelector<HTMLElement>('[aria-invalid="true"]');
	field?.focus();
	field?.scrollIntoView({ block: 'center' });
}
