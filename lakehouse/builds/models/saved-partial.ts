/** A partial result in R2: objects of some megabytes beside the table, each of which is held at a time. */
import { createHash } from "node:crypto";
import { PartialReader, type SavedPart } from "../../engine/aggregates/partial-format.ts";
import { release } from "../../engine/columns/release.ts";
import type { CompiledModel } from "../../engine/ir/ir.ts";
import { fromInline, INLINE_BYTES, toInline } from "../inline.ts";
import type { KeptPartial } from "./progress.ts";

/** Bytes of an object: it is held while it is written or read. */
const OBJECT_BYTES = 4 * 1024 * 1024;

/** A partial result is gone, or is not what was written. It follows from the inputs: the partition is built from its beginning. */
export class LostPartialError extends Error {
  override readonly name = "LostPartialError";
}

/**
 * Writes the parts, none of them cut, as objects whose names begin with `prefix`; what has no more than `inline` bytes is given as it is.
 * Throws what R2 throws.
 */
export async function savePartial(
  bucket: { put(key: string, bytes: Uint8Array, options: R2PutOptions): Promise<unknown> },
  prefix: string,
  parts: Iterable<readonly Uint8Array[]>,
  inline = INLINE_BYTES,
): Promise<KeptPartial[]> {
  const objects: KeptPartial[] = [];
  let bytes = new Uint8Array(OBJECT_BYTES);
  let filled = 0;
  const put = async () => {
    const object = `${prefix}${objects.length}.partial`;
    const written = bytes.subarray(0, filled);
    await bucket.put(object, written, { httpMetadata: { contentType: "application/octet-stream" } });
    objects.push({ object, bytes: filled, sha256: digestOf(written) });
    filled = 0;
  };
  for (const pieces of parts) {
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    if (filled > 0 && filled + size > bytes.length) await put();
    if (size > bytes.length) {
      release(bytes);
      bytes = new Uint8Array(size);
    }
    for (const piece of pieces) {
      bytes.set(piece, filled);
      filled += piece.length;
    }
  }
  const small =
    objects.length === 0 && filled > 0 && filled <= inline ? toInline(bytes.subarray(0, filled)) : undefined;
  if (small === undefined && filled > 0) await put();
  release(bytes);
  return small === undefined ? objects : [small];
}

/**
 * The parts of the partial result, each until the next one is asked for. Throws `LostPartialError` when it is not there or not what
 * was written, `PartialFormatError` when it is no partial result of this model, and what R2 throws.
 */
export async function* loadPartial(
  bucket: { get(key: string): Promise<Pick<R2ObjectBody, "arrayBuffer"> | null> },
  { generation }: Pick<CompiledModel, "generation">,
  kept: readonly KeptPartial[],
): AsyncGenerator<SavedPart, void, undefined> {
  const reader = new PartialReader(generation);
  for (const each of kept) {
    if ("inline" in each) {
      yield* reader.read(fromInline(each));
      continue;
    }
    const { object, bytes, sha256 } = each;
    const body = await bucket.get(object);
    if (body === null) throw new LostPartialError(`${object} is not in the bucket`);
    const whole = new Uint8Array(await body.arrayBuffer());
    if (whole.length !== bytes || digestOf(whole) !== sha256)
      throw new LostPartialError(`${object} is not what was written`);
    yield* reader.read(whole);
    release(whole);
  }
  reader.finish();
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
