/** Why a relay closed a socket. A stock client takes 4400–4499 as final and tries again after others. */
export const CLOSE = {
	/** The ticket is unknown, used or too old: fetch another. */
	ticket: 4401,
	/** The device may not have this document, or was removed. */
	rights: 4403,
	/** The id stands for another text already: take a new code and issue it again. */
	fork: 4409,
	/** A message or an update is beyond the limits. */
	tooLarge: 4413,
	/** What no honest device sends. */
	forgery: 4422,
	/** The relay stops, or is too busy for a slow reader: try again. */
	tryLater: 4503
} as const;

export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];
