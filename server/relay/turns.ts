import type { Heard, Session } from './session.ts';

/** What one socket says, told to its session one message after the other. */
export interface Turns {
	/** Tells a message at once where nothing stands before it. */
	hear(bytes: Uint8Array, told: Told): void;
	/** Resolves when all that came was heard; never rejects. */
	heard(): Promise<void>;
}

/** One of the two is called, once. */
export interface Told {
	/** The message was decided. */
	readonly done: () => void;
	readonly failed: (fault: unknown) => void;
}

export function createTurns(opening: Promise<{ readonly session: Session }>): Turns {
	let session: Session | undefined;
	let last: Promise<void> = opening.then(
		(opened) => {
			({ session } = opened);
		},
		() => undefined
	);
	let waiting = 0;
	function later(hear: () => Promise<Heard>, told: Told): void {
		waiting += 1;
		last = last.then(hear).then(
			(heard) => {
				waiting -= 1;
				wait(heard, told);
			},
			(fault: unknown) => {
				waiting -= 1;
				told.failed(fault);
			}
		);
	}
	return {
		hear: (bytes, told) => {
			if (session === undefined || waiting > 0) {
				later(async () => (await opening).session.hear(bytes), told);
				return;
			}
			try {
				const heard = session.hear(bytes);
				if (heard instanceof Promise) later(() => heard, told);
				else wait(heard, told);
			} catch (fault) {
				told.failed(fault);
			}
		},
		heard: () => last
	};
}

/** What comes next may be decided in the same batch, so nobody waits here. */
function wait({ decided }: Heard, { done, failed }: Told): void {
	decided.then(done, failed);
}
