/**
 * What builds of a partition keep between two steps stands in R2, and its progress in D1 names the objects. Where it is small the progress
 * holds it itself: a build of a quiet topic would else pay for a write and many reads of R2 to keep some hundred bytes, and for the rows
 * that bury each object which another one took the place of.
 */
import * as z from "zod";

/** Bytes of one partial result, or of the keys of one space. */
export const INLINE_BYTES = 32 * 1024;
/** Bytes of the keys of all spaces together: a contract may have any number of checks of duplicates, and the row in D1 2 MB. */
const ALL_SPACES_BYTES = 512 * 1024;

/** Bytes of the keys of one of `spaces` that the progress holds, at most `most`. */
export function inlineShare(spaces: number, most = INLINE_BYTES): number {
  return Math.min(most, Math.floor(ALL_SPACES_BYTES / spaces));
}

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
