import { tick } from 'svelte';
import type { Saving } from '#state/saving.svelte.ts';

/**
 * Does what a form was submitted for. `act` answers whether it was taken; where it was not, the
 * person is led to the first field that says why.
 */
export async function submitForm<Why>(
	event: SubmitEvent,
	saving: Saving<Why>,
	act: () => Promise<boolean>
): Promise<void> {
	event.preventDefault();
	// The browser forgets it once the event is over.
	const form = event.currentTarget as HTMLFormElement;
	await saving.run(async () => {
		if (!(await act())) await showFirstRefused(form);
		return undefined;
	});
}

async function showFirstRefused(form: HTMLFormElement): Promise<void> {
	// Once the words stand at their field.
	await tick();
	const field = form.querySelector<HTMLElement>('[aria-invalid="true"]');
	field?.focus();
	field?.scrollIntoView({ block: 'center' });
}
