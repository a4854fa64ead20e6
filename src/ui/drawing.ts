/** A drawing in ink on 48 × 48: what is filled with paper, then lines alone, then dots of ink. */
export interface DrawingPaths {
	readonly filled: readonly string[];
	readonly lines: string;
}

const DRAWINGS = {
	loaf: {
		filled: ['M7 23c0-6 7-10 17-10s17 4 17 10c0 2.4-1.2 4.2-3 5v9H10v-9c-1.8-.8-3-2.6-3-5z'],
		lines: 'M16 20l4 5M23 19l4 5M30 20l4 5'
	},
	carton: {
		filled: ['M15 21l4-8h10l4 8v19H15z'],
		lines: 'M15 21h18M19 13V9h10v4M24 13v8M15 28c4-3 6 3 9 0s6 3 9 0'
	},
	bottle: {
		filled: ['M21 7h6v8c0 3 4 5 4 10v14a2 2 0 0 1-2 2H19a2 2 0 0 1-2-2V25c0-5 4-7 4-10z'],
		lines: 'M17 26h14v8H17M21 11h6'
	},
	sack: {
		filled: ['M17 10c3 2 11 2 14 0l-2 6c6 4 8 10 8 16 0 6-5 8-13 8s-13-2-13-8c0-6 2-12 8-16z'],
		lines: 'M18 16.5h12M19 28h10M21 33h6'
	},
	jar: {
		filled: ['M14 12h20l-2 5 3 6v15a2 2 0 0 1-2 2H15a2 2 0 0 1-2-2V23l3-6z'],
		lines: 'M16 17h16M18.5 29a5.5 5.5 0 1 0 11 0 5.5 5.5 0 1 0-11 0'
	},
	fruit: {
		filled: ['M11.5 27a12.5 12.5 0 1 0 25 0 12.5 12.5 0 1 0-25 0'],
		lines: 'M24 15V9M24 15c-4-3-7-1-9 2 4 1 7 0 9-2zM24 15c4-3 7-1 9 2-4 1-7 0-9-2z'
	},
	packet: { filled: ['M12 14h24v25H12z'], lines: 'M12 20h24M18 27h12M18 32h8' },
	soap: {
		filled: ['M9 24l6-6h20l4 4v9l-6 6H13l-4-4z'],
		lines: 'M9 24h24l6-2M33 24v13M15 30h11M32 11a2 2 0 1 0 4 0 2 2 0 1 0-4 0'
	},
	cup: {
		filled: ['M12 16h20v15a8 8 0 0 1-8 8h-4a8 8 0 0 1-8-8z'],
		lines: 'M32 20h3a4 4 0 0 1 0 9h-3M18 12c-2-2 2-3 0-5M25 12c-2-2 2-3 0-5'
	},
	card: {
		filled: [
			'M11.5 14h25a2.5 2.5 0 0 1 2.5 2.5v16a2.5 2.5 0 0 1-2.5 2.5h-25A2.5 2.5 0 0 1 9 32.5v-16A2.5 2.5 0 0 1 11.5 14z'
		],
		lines: 'M15 29v-3M20 29v-6M25 29v-9M30 21h4M30 25h4'
	},
	shirt: {
		filled: ['M17 10l-9 5 4 8 4-2v19h16V21l4 2 4-8-9-5c-1 3-3 5-7 5s-6-2-7-5z'],
		lines: 'M16 34h16'
	},
	book: {
		filled: ['M13 9h20a3 3 0 0 1 3 3v28H16a3 3 0 0 1-3-3z'],
		lines: 'M13 37a3 3 0 0 1 3-3h20M19 16h11M19 21h8'
	}
} as const satisfies Readonly<Record<string, DrawingPaths>>;

type DrawingName = keyof typeof DRAWINGS;

/** Words of a shop's shelves, by what they look like; the first that fits is drawn. */
const SHELVES: readonly (readonly [RegExp, DrawingName])[] = [
	[/bread|loaf|cake|bun|toast|biscuit|cookie|خبز|كعك|بسكويت/iu, 'loaf'],
	[/milk|juice|yogh?urt|cream|حليب|لبن|عصير/iu, 'carton'],
	[/soda|water|bottle|wine|beer|drink|cola|oil|sauce|مياه|ماء|زيت|مشروب/iu, 'bottle'],
	[/flour|rice|unga|sack|bag|grain|bean|lentil|sugar|salt|دقيق|أرز|رز|سكر|ملح|عدس|فول/iu, 'sack'],
	[/jam|honey|jar|pickle|spice|مربى|عسل|بهار/iu, 'jar'],
	[/fruit|apple|tomato|orange|veg|onion|potato|lemon|فاكهة|تفاح|طماطم|خضار|بصل|بطاط/iu, 'fruit'],
	[/soap|clean|wash|shampoo|detergent|صابون|منظف|شامبو/iu, 'soap'],
	[/tea|coffee|mug|cup|شاي|قهوة|كوب/iu, 'cup'],
	[/airtime|card|top.?up|data|رصيد|بطاقة/iu, 'card'],
	[/shirt|cloth|dress|sock|hat|scarf|قميص|ملابس|فستان/iu, 'shirt'],
	[/book|pen|paper|pencil|note|card|sticker|دفتر|قلم|ورق|كتاب/iu, 'book']
];

/** The drawing for a product by its name, else by its category; a plain packet where no word is known. */
export function drawingOf(name: string, category: string): DrawingPaths {
	return DRAWINGS[shelfOf(name) ?? shelfOf(category) ?? 'packet'];
}

function shelfOf(words: string): DrawingName | undefined {
	return SHELVES.find(([pattern]) => pattern.test(words))?.[1];
}
