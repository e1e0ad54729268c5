/** Makes the image that `migratedDatabase` opens, once for all workers, and for all deploys whose code a test imports anew. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestProject } from "vitest/node";
import { readMigrations } from "../../tools/local-platform/migrations.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A file with the bytes of a database that all migrations made. */
    readonly migratedDatabase: string;
  }
}

export default function prepare({ provide }: Pick<TestProject, "provide">): () => void {
  const sqlite = new DatabaseSync(":memory:");
  for (const { sql } of readMigrations(resolve(import.meta.dirname, "../../sql/migrations"))) sqlite.exec(sql);
  sqlite.exec("VACUUM");
  const folder = mkdtempSync(join(tmpdir(), "sluice-migrated-"));
  const file = join(folder, "database.sqlite");
  writeFileSync(file, sqlite.serialize());
  sqlite.close();
  provide("migratedDatabase", file);
  return () => rmSync(folder, { recursive: true, force: true });
}
