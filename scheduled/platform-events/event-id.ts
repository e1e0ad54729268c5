/** Ids of the platform's own events. */
import { createHash } from "node:crypto";

/**
 * An event's id from what it is about: whoever makes the same event again gives it the same id, and silver keeps one row
 * (PROTOCOLS 5). The first 16 bytes of SHA-256, hexadecimal.
 */
export function platformEventId(...parts: readonly (string | number)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}
