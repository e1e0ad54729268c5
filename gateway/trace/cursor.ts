/** Where a search goes on, as a text that callers hand back unread. */
import * as z from "zod";
import type { SearchPosition } from "../../lakehouse/lookups/trace/search-bronze.ts";

const positionSchema = z.tuple([z.int().min(0).max(1_000), z.string().max(600)]);

export function cursorText({ source, after }: SearchPosition): string {
  return Buffer.from(JSON.stringify([source, after])).toString("base64url");
}

/** Undefined for a text that no search gave. */
export function positionOf(cursor: string): SearchPosition | undefined {
  try {
    const parsed = positionSchema.safeParse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
    return parsed.success ? { source: parsed.data[0], after: parsed.data[1] } : undefined;
  } catch {
    return undefined;
  }
}
