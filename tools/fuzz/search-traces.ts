/** Looks for personal data wherever the platform keeps something, and for what it promised in bronze. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OWN_TOPICS } from "../demo/settle.ts";
import { openLake } from "../lake/open.ts";
import { bindingsSource } from "../lake/source.ts";
import type { Platform } from "../local-platform/platform.ts";
import { leakIn, NEEDLES } from "./canaries.ts";
import { eventKey, type FuzzFailure, type Promised } from "./send-requests.ts";

const MAX_LISTED = 5;

/** Every accepted event is in bronze as often as it was accepted, every refused one once in the dead letters, nothing else but what the platform says of itself. */
export async function checkBronze(platform: Platform, promised: Promised): Promise<FuzzFailure[]> {
  const failures: FuzzFailure[] = [];
  const lake = await openLake({ source: bindingsSource(platform.db, platform.lake), cacheDir: platform.state.cache });
  try {
    for (const { name, kind } of lake.views) {
      if (kind !== "bronze" || name === "dead_letters" || OWN_TOPICS.some((topic) => name === `bronze_${topic}`))
        continue;
      const letters = name === "bronze_dead_letters";
      const columns = letters ? "request_id, event_index" : "event_id, _event";
      const sql = `SELECT ${columns}, count(*)::INT FROM "${name}" GROUP BY ALL`;
      const rows = (await lake.connection.runAndReadAll(sql)).getRows();
      const found = new Map(rows.map(([id, index, times]) => [eventKey(id, index), Number(times)]));
      const expected = letters
        ? new Map([...promised.letters].map((key) => [key, 1]))
        : (promised.accepted.get(name.slice("bronze_".length)) ?? new Map<string, number>());
      const wrong = [...new Set([...expected.keys(), ...found.keys()])].filter(
        (key) => expected.get(key) !== found.get(key),
      );
      for (const key of wrong.slice(0, MAX_LISTED)) {
        const what = `${name}: ${JSON.stringify(key)} was promised ${expected.get(key) ?? 0} times and is there ${found.get(key) ?? 0} times`;
        failures.push({ index: null, what });
      }
      if (wrong.length > MAX_LISTED)
        failures.push({ index: null, what: `${name}: and ${wrong.length - MAX_LISTED} more` });
    }
    return failures;
  } finally {
    lake.close();
  }
}

/** Personal data in tables as DuckDB decodes them, in objects, in the databases' files and in the log. */
export async function searchTraces(platform: Platform, logs: readonly string[]): Promise<FuzzFailure[]> {
  const failures: FuzzFailure[] = [];
  const found = (where: string, leak: string) =>
    void failures.push({ index: null, what: `personal data in ${where}: ${JSON.stringify(leak)}` });
  const look = (content: string | Uint8Array, where: string) => {
    const leak = leakIn(content);
    if (leak !== undefined) found(where, leak);
  };
  await searchTables(platform, found);
  let cursor: string | undefined;
  do {
    const page = await platform.lake.list(cursor === undefined ? {} : { cursor });
    for (const { key } of page.objects) {
      look(key, "an object's key");
      const object = await platform.lake.get(key);
      if (object !== null) look(new Uint8Array(await object.arrayBuffer()), `object ${key}`);
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  for (const line of logs) look(line, "the log");
  // D1 and the Durable Objects' databases, their write-ahead logs too, as they lie on the disk.
  for (const entry of readdirSync(platform.state.storage, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    look(readFileSync(path), `file ${entry.name}`);
  }
  return failures;
}

async function searchTables(platform: Platform, found: (where: string, leak: string) => void): Promise<void> {
  const lake = await openLake({ source: bindingsSource(platform.db, platform.lake), cacheDir: platform.state.cache });
  const hit = NEEDLES.map((needle) => `contains(row, '${needle}')`).join(" OR ");
  try {
    for (const { name } of lake.views) {
      const sql = `SELECT row FROM (SELECT to_json(t)::VARCHAR AS row FROM "${name}" t) WHERE ${hit} LIMIT ${MAX_LISTED}`;
      const rows = (await lake.connection.runAndReadAll(sql)).getRows();
      for (const [row] of rows) found(`table ${name}`, leakIn(String(row)) ?? "");
    }
  } finally {
    lake.close();
  }
}
