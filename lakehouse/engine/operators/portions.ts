/** Bounds of what an operator gives at a time where one row of its input may give many: else a batch could grow past an isolate. */
export const PORTION_ROWS = 8_192;
const PORTION_BYTES = 4 * 2 ** 20;

/** Whether so many rows of so many bytes are enough for a batch; one row is, whatever it takes. */
export function isFull(rows: number, bytes: number): boolean {
  return rows >= PORTION_ROWS || bytes >= PORTION_BYTES;
}
