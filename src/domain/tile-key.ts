import { searchKey } from './text.ts';

/** What of a product says where its tile stands. */
export interface Tiled {
	readonly name?: string;
	readonly favourite?: boolean;
	readonly active?: boolean;
}

/** Every tile's key lies between them. */
export const TILES = { from: '0', to: '2' } as const;
const FAVOURITE = '0';
const OTHER = '1';

/**
 * The order of tiles as one text: favourites first, then by name. Empty for what is not in use and
 * has no tile.
 */
export function tileKeyOf({ name = '', favourite, active }: Tiled): string {
	if (active === false) return '';
	return `${favourite === true ? FAVOURITE : OTHER}${searchKey(name)}`;
}
