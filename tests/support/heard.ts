import {
	decodeHave,
	decodeNack,
	MESSAGE_HAVE,
	MESSAGE_NACK,
	type HaveRange,
	type Nack
} from '#sync/frames.ts';
import { isMessage, jsonIn, type RawSocket } from './relay-stand.ts';

/** What the first refusal from `from` on names; waits for it. */
export async function nackOf(socket: RawSocket, from = 0): Promise<Nack['refused'] | undefined> {
	return decodeNack(jsonIn(await socket.next(isMessage(MESSAGE_NACK), from)))?.refused;
}

/** Every range of its facts that the socket was told so far. */
export function rangesIn({ heard }: Pick<RawSocket, 'heard'>): readonly HaveRange[] {
	return heard
		.filter(isMessage(MESSAGE_HAVE))
		.flatMap((frame) => decodeHave(jsonIn(frame))?.ranges ?? []);
}
