import type { Frame } from "../../schemas/packed-block.ts";

/**
 * The bytes of a block: those of its frames, one behind the other; `bytes` of them in all. Frames that follow each other in memory, as
 * those of an append do unless one is left out, are not copied.
 */
export function joinFrames(frames: readonly Frame[], bytes: number): Uint8Array {
  const first = frames[0]?.bytes;
  const last = frames.at(-1)?.bytes;
  if (first !== undefined && last?.buffer === first.buffer && endOf(last) - first.byteOffset === bytes) {
    return new Uint8Array(first.buffer, first.byteOffset, bytes);
  }
  const block = new Uint8Array(bytes);
  let at = 0;
  for (const frame of frames) {
    block.set(frame.bytes, at);
    at += frame.bytes.byteLength;
  }
  return block;
}

function endOf({ byteOffset, byteLength }: Uint8Array): number {
  return byteOffset + byteLength;
}
