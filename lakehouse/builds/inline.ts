/**
 * What builds of a partition keep between two steps stands in R2, and its progress in D1 names the objects. Where it is small the progress
 * holds it itself: a build of a quiet topic would else pay for a write and many reads of R2 to keep some hundred bytes, and for the rows
 * that bury each object which another one took the place of.
 */
import * as z from "zod";

/** Bytes of one partial result, or of the keys of one space: with all spaces of a contract the row in D1 stays far under its 2 MB. */
export const INLINE_BYTES = 32 * 1024;

/** Bytes that the progress holds, as base64. */
export const inlineBytes = z.object({ inline: z.base64() });
export type InlineBytes = z.infer<typeof inlineBytes>;

export function toInline(bytes: Uint8Array): InlineBytes {
  return { inline: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64") };
}

/** In memory of their own. */
export function fromInline({ inline }: InlineBytes): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(inline, "base64"));
}

/** Those of what a progress keeps that stand in R2. */
export function objectNames(kept: readonly (InlineBytes | { readonly object: string })[]): string[] {
  return kept.flatMap((each) => ("object" in each ? [each.object] : []));
}
