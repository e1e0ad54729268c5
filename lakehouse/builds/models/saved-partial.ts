/** A partial result in R2: objects of some megabytes beside the table, so that neither writing nor reading holds it twice. */
import { createHash } from "node:crypto";
import type { SavedPartials } from "../../engine/aggregates/partial-format.ts";
import { PartialFormatError } from "../../engine/ir/errors.ts";
import type { CompiledModel } from "../../engine/ir/ir.ts";
import type { LakeBucket } from "../../tables/lake.ts";
import { openPartial } from "./partial.ts";
import type { PartialObject } from "./progress.ts";

const OBJECT_BYTES = 8 * 1024 * 1024;

/** A partial result is gone, or is not what was written. It follows from the inputs: the partition is built from its beginning. */
export class LostPartialError extends Error {
  override readonly name = "LostPartialError";
}

/** Writes the pieces as objects whose names begin with `prefix`. Throws what R2 throws. */
export async function savePartial(
  bucket: Pick<LakeBucket, "put">,
  prefix: string,
  pieces: readonly Uint8Array[],
): Promise<PartialObject[]> {
  const objects: PartialObject[] = [];
  let left = pieces.reduce((sum, { length }) => sum + length, 0);
  let bytes = new Uint8Array(Math.min(left, OBJECT_BYTES));
  let filled = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
      at += part.length;
      left -= part.length;
      if (filled < bytes.length) continue;
      const object = `${prefix}${objects.length}.partial`;
      await bucket.put(object, bytes, { httpMetadata: { contentType: "application/octet-stream" } });
      objects.push({ object, bytes: bytes.length, sha256: digestOf(bytes) });
      bytes = new Uint8Array(Math.min(left, OBJECT_BYTES));
      filled = 0;
    }
  }
  return objects;
}

/** Throws `LostPartialError` when there is no whole partial result of this model there, and what R2 throws. */
export async function loadPartial(
  bucket: Pick<LakeBucket, "get">,
  model: CompiledModel,
  objects: readonly PartialObject[],
): Promise<SavedPartials> {
  const whole = new Uint8Array(objects.reduce((sum, { bytes }) => sum + bytes, 0));
  let at = 0;
  for (const { object, bytes, sha256 } of objects) {
    const body = await bucket.get(object);
    if (body === null) throw new LostPartialError(`${object} is not in the bucket`);
    const part = new Uint8Array(await body.arrayBuffer());
    if (part.length !== bytes || digestOf(part) !== sha256)
      throw new LostPartialError(`${object} is not what was written`);
    whole.set(part, at);
    at += bytes;
  }
  return opened(model, whole);
}

function opened(model: CompiledModel, bytes: Uint8Array): SavedPartials {
  try {
    const saved = openPartial(model, bytes);
    if (saved !== undefined) return saved;
  } catch (error) {
    if (!(error instanceof PartialFormatError)) throw error;
    throw new LostPartialError(error.message);
  }
  throw new LostPartialError(`the partial result of ${model.name} is of another version`);
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
