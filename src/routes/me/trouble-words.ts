import type { MessageKey, Words } from '#ui/words.svelte.ts';
import type { AnswerTrouble } from './answering.svelte.ts';

/** A refusal without a sentence does not compile. */
const SENTENCES: Readonly<Record<AnswerTrouble, MessageKey>> = {
	notEnrolled: 'me.trouble.notEnrolled',
	recordUnknown: 'me.trouble.recordUnknown',
	notToAnswer: 'me.trouble.notToAnswer',
	alreadyAnswered: 'me.trouble.alreadyAnswered',
	notDisputed: 'me.trouble.notDisputed',
	tooLate: 'me.trouble.tooLate',
	noteTooLong: 'me.trouble.noteTooLong',
	tooManyAnswers: 'me.trouble.tooManyAnswers',
	fault: 'me.trouble.fault'
};

/** Why an answer was not taken, and what about what was answered before. */
export function troubleWords(words: Words, trouble: AnswerTrouble): string {
	return words.say(SENTENCES[trouble]);
}
