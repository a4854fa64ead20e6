import { assert } from '#domain/assert.ts';

export type CodePurpose = 'signup' | 'reset' | 'address' | 'linkByPhone' | 'changePhone';
export type MessageLanguage = 'en' | 'ar';

export interface CodeWords {
	readonly purpose: CodePurpose;
	readonly language: MessageLanguage;
	readonly code: string;
	/** The shop that asks, where one does. */
	readonly shop?: string | undefined;
	/** The account's username, where one may not know for which a code is. */
	readonly username?: string | undefined;
}

const SHOP_CODE_POINTS_MAX = 24;

/** The text of a message: short, since an SMS in Arabic has seventy letters. */
export function codeText({ purpose, language, code, shop, username }: CodeWords): string {
	const sentence = SENTENCES[language][purpose];
	const named = sentence
		.replace('{shop}', () => cut(shop ?? 'Daftar'))
		.replace('{username}', () => username ?? '')
		.replace('{code}', () => code);
	assert(named.includes(code), 'a message with a code says it');
	return named;
}

export function codeSubject(language: MessageLanguage): string {
	return language === 'ar' ? 'رمز دفتر' : 'Your Daftar code';
}

const SENTENCES: Readonly<Record<MessageLanguage, Readonly<Record<CodePurpose, string>>>> = {
	en: {
		signup: 'Daftar: your code is {code}. It proves that this address is yours. 10 minutes.',
		reset:
			'Daftar: {code} sets a new password for {username}. Not you? Tell nobody the code. 10 minutes.',
		address: 'Daftar: your code is {code}. It makes this the address of {username}. 10 minutes.',
		linkByPhone:
			'{shop} (Daftar): your code is {code}. Tell it to the shop if it may write your dues on this number.',
		changePhone:
			'{shop} (Daftar): your code is {code}. Tell it to the shop only if your number changes.'
	},
	ar: {
		signup: 'دفتر: رمزك {code} لإثبات أن هذا العنوان لك. 10 دقائق.',
		reset: 'دفتر: {code} لكلمة سر جديدة لحساب {username}. لا تعطه أحدًا.',
		address: 'دفتر: رمزك {code} ليصبح هذا عنوان {username}. 10 دقائق.',
		linkByPhone: '{shop} (دفتر): رمزك {code}. أعطه للمحل ليقيد دينك على هذا الرقم.',
		changePhone: '{shop} (دفتر): رمزك {code}. أعطه للمحل فقط إن تغيّر رقمك.'
	}
};

/** Nothing of a shop's name reads as more than a name, or pushes the code out of the message. */
function cut(shop: string): string {
	const letters = Array.from(shop.replace(/[\p{C}\p{Z}]+/gu, ' ').replace(/\d/g, '·'));
	return letters.length <= SHOP_CODE_POINTS_MAX
		? letters.join('')
		: `${letters.slice(0, SHOP_CODE_POINTS_MAX - 1).join('')}…`;
}
