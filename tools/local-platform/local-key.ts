import { createHash } from "node:crypto";

/** The key of every local platform; a deployed Worker refuses it. */
export const LOCAL_API_KEY = "local-dev-key";
export const LOCAL_PRODUCER = "local";

const SCOPES = ["*:write", "*:read", "*:admin"];

interface SeededDatabase {
  prepare(sql: string): { bind(...values: string[]): { run(): Promise<unknown> } };
}

/** Makes the producer `local` and its key, unless they are there. `now` is ISO 8601. */
export async function seedLocalKey(db: SeededDatabase, now: string): Promise<void> {
  const hash = createHash("sha256").update(LOCAL_API_KEY).digest("hex");
  await db
    .prepare("INSERT INTO producers (producer, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING")
    .bind(LOCAL_PRODUCER, now)
    .run();
  await db
    .prepare("INSERT INTO api_keys (key_hash, producer, scopes, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
    .bind(hash, LOCAL_PRODUCER, JSON.stringify(SCOPES), now)
    .run();
}
