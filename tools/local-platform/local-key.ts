import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The key of every local platform; a deployed Worker refuses it. */
export const LOCAL_API_KEY = "local-dev-key";

interface SeededDatabase {
  prepare(sql: string): { run(): Promise<unknown> };
}

/** Makes the producer `local` and its key, unless they are there: `local-key.sql`, which `wrangler dev` is seeded with too. */
export async function seedLocalKey(db: SeededDatabase): Promise<void> {
  // Loaded here: commands that only name the key would wait for it longer than for all the rest of their code.
  const { unstable_splitSqlQuery } = await import("wrangler");
  const sql = readFileSync(join(import.meta.dirname, "local-key.sql"), "utf8");
  for (const statement of unstable_splitSqlQuery(sql)) await db.prepare(statement).run();
}
