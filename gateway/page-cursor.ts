/** Where a list goes on, as a text that callers hand back unread. It is bound to the list that it was given for. */
import * as z from "zod";
import { ProblemError } from "./problem.ts";

const partsSchema = z.array(z.string().max(200)).min(2).max(6);

export function cursorText(list: string, parts: readonly string[]): string {
  return Buffer.from(JSON.stringify([list, ...parts])).toString("base64url");
}

/** The `count` parts of a cursor of this list. Throws the problem INVALID_PARAMETER for a text that the list did not give. */
export function cursorParts(list: string, count: number, cursor: string): readonly string[] {
  try {
    const [of, ...parts] = partsSchema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
    if (of === list && parts.length === count) return parts;
  } catch {
    // As a text of another list.
  }
  throw new ProblemError("INVALID_PARAMETER", "cursor: expected next_cursor of a page of the same list");
}
