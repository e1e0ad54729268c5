/** A database of SQLite as all migrations leave it, at a fifth of the time that even the schema alone takes: it is opened from an image. */
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { inject } from "vitest";

let image: Uint8Array | undefined;

export function migratedDatabase(): DatabaseSync {
  image ??= readFileSync(inject("migratedDatabase"));
  const sqlite = new DatabaseSync(":memory:");
  sqlite.deserialize(image);
  return sqlite;
}
