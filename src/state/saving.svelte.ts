/** One act of a screen: done once however often it is asked for, and why it was not is known. */
export class Saving<Why> {
	readonly #ofFault: (fault: unknown) => Why | undefined;
	isWorking = $state.raw(false);
	/** Why the last try came to nothing; undefined while it is tried, and where it was taken. */
	refusal = $state.raw<Why>();

	/** `ofFault` tells of a fault where it is to be told, and answers what stands on the screen. */
	constructor(ofFault: (fault: unknown) => Why | undefined) {
		this.#ofFault = ofFault;
	}

	/** Does `act`, which answers why it was refused, unless one is still being done. Never rejects. */
	async run(act: () => Promise<Why | undefined>): Promise<void> {
		if (this.isWorking) return;
		this.isWorking = true;
		this.refusal = undefined;
		try {
			this.refusal = await act();
		} catch (fault) {
			this.refusal = this.#ofFault(fault);
		} finally {
			this.isWorking = false;
		}
	}
}
