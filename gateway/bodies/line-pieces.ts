/** Bytes in chunks of any size to pieces of whole lines. */

export const NEWLINE = 0x0a;

/** Decoding and splitting many lines at once is what makes them fast; a longer text would not be allocated among the young objects (`PIECE_BYTES` in `json.ts`). */
const PIECE_BYTES = 32_000;

/** Whole lines with their newlines (the last of the body may lack its own), and where they begin in the body. */
export interface LinePiece {
  readonly bytes: Uint8Array;
  readonly offset: number;
}

/**
 * Copies only what stands on both sides of a chunk's end: each byte once, however long a line is. `hold` is told what is kept of a line
 * that has no end yet.
 */
export async function* linePieces(
  chunks: AsyncIterable<Uint8Array>,
  hold: (bytes: number) => void,
): AsyncGenerator<LinePiece> {
  let offset = 0;
  let begunBytes = 0;
  /** Chunks without a newline, together the beginning of a line. */
  let begun: Uint8Array[] = [];
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.byteLength; ) {
      const end = endOfLines(chunk, start);
      if (end === 0) {
        begun.push(chunk.subarray(start));
        begunBytes += chunk.byteLength - start;
        // Twice, while the parts and what they are joined to stand side by side.
        hold(begunBytes * 2);
        break;
      }
      const bytes = joined(begun, chunk.subarray(start, end));
      begun = [];
      start = end;
      if (begunBytes > 0) {
        hold(bytes.byteLength);
        begunBytes = 0;
      }
      yield { bytes, offset };
      offset += bytes.byteLength;
    }
  }
  if (begun.length > 0) yield { bytes: joined(begun, new Uint8Array(0)), offset };
}

/** Behind the last newline within a piece's length, else behind the next one; 0 if there is none. */
function endOfLines(chunk: Uint8Array, start: number): number {
  const within = chunk.subarray(start, start + PIECE_BYTES).lastIndexOf(NEWLINE);
  return within >= 0 ? start + within + 1 : chunk.indexOf(NEWLINE, start + PIECE_BYTES) + 1;
}

/** Several parts as one; one part as it is. */
export function joined(begun: readonly Uint8Array[], last: Uint8Array): Uint8Array {
  if (begun.length === 0) return last;
  const bytes = new Uint8Array(begun.reduce((sum, part) => sum + part.byteLength, last.byteLength));
  let at = 0;
  for (const part of begun) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  bytes.set(last, at);
  return bytes;
}
