/**
 * What one device may send, generous to an honest week offline. The relay names them in its hello,
 * so that a device can keep to them without being told twice.
 */

/** Of one message of the socket. Larger ones close it. */
export const FRAME_BYTES_MAX = 8 * 1024 * 1024;
/** Of what a socket may read before it is cut without an answer. */
export const PAYLOAD_BYTES_MAX = 2 * FRAME_BYTES_MAX;
/** Facts in one update: a trade day of the busiest shop, several times over. */
export const FRAME_FACTS_MAX = 20_000;
/** A document's state goes out in pieces of this size, or of one fact where that is larger. */
export const PIECE_BYTES_MAX = 32 * 1024;
/** Bytes of a fact's text, as the domain has it. */
export const FACT_TEXT_BYTES_MAX = 65_536;
/** Waiting to be read by the other side: above it nothing more is pushed. */
export const BUFFERED_BYTES_PAUSE = 1024 * 1024;
/** Waiting to be read by the other side: above it the socket is closed. */
export const BUFFERED_BYTES_CLOSE = 8 * 1024 * 1024;
/** Received and not yet decided, of all sockets of one device: above it none of them is read from. */
export const PENDING_BYTES_PAUSE = 8 * 1024 * 1024;
/** Received and not yet decided, of all sockets of one device: above it the socket is closed. */
export const PENDING_BYTES_MAX = 4 * FRAME_BYTES_MAX;
/** Sockets that one device may have open: today's journal, and the days that have something unsent. */
export const DEVICE_SOCKETS_MAX = 512;
/** Answers in a row to our state vector that lack something before we take it for bad faith. */
export const GAPS_MAX = 3;
/** New facts of a shop's device on one UTC day of the relay: a week offline, seven times over. */
export const DEVICE_DAY_FACTS_MAX = 50_000;
/** New facts of a customer's phone on one UTC day of the relay. */
export const PHONE_DAY_FACTS_MAX = 2_000;
/** Facts of others that a device tells a restored relay on one UTC day, long ones counted by kB. */
export const CARRIED_DAY_FACTS_MAX = 500_000;
/** The same for a customer's phone: a person has few facts. */
export const PHONE_CARRIED_DAY_FACTS_MAX = 20_000;
/** Answers of one person to one record on one UTC day, by whichever of his phones. */
export const RECORD_ANSWERS_MAX = 20;
/** A have range never crosses a multiple of this. */
export const HAVE_RANGE_LENGTH = 512;
/** An idle stock client gives up after 30 s without a message. */
export const HEARTBEAT_MS = 20_000;
