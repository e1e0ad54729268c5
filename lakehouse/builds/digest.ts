/**
 * The digest of what a partition was built from: `digest_k = SHA-256(digest_(k-1) || name_k)` over the names of its inputs, in hex. An
 * increment goes on from the digest before it with the names that are new, so that the splits of a day do not show: a rebuild from the
 * same inputs in the same order has the same digest, and nothing needs a list of what was read before.
 */
import { createHash } from "node:crypto";

/** `names`: bronze files in the order of their registration, or `inputName`s. */
export function digestOf(names: Iterable<string>, before = ""): string {
  let digest = before;
  for (const name of names) digest = createHash("sha256").update(digest).update(name).digest("hex");
  return digest;
}

/** The name of a partition of another table as an input. Version 0: nothing of it was published. */
export function inputName(table: string, date: string, version: number): string {
  return `${table}/${date}@${version}`;
}
