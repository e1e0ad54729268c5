/** ASCII bytes as texts, and compared with others. */

/** Longer texts are left to the runtime. */
const SHORT_TEXT = 63;

const decoder = new TextDecoder();

/** By length: the codes of one text, to be filled in and made a text. */
const rooms: number[][] = [];

/** The text of ASCII bytes. A call into the runtime for each would take as long as reading the event does. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > SHORT_TEXT) return decoder.decode(bytes.subarray(start, end));
  let room = rooms[length];
  if (room === undefined) {
    room = new Array<number>(length).fill(0);
    rooms[length] = room;
  }
  for (let i = 0; i < length; i++) room[i] = bytes[start + i] ?? 0;
  return String.fromCharCode.apply(null, room);
}

/** Whether `expected` stands in `bytes` from `start` on. */
export function standsAt(expected: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}
