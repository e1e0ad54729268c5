/** Looks for personal data wherever the platform keeps something, and for what it promised in bronze. */

import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { basename, join } from "node:path";
import { quoteText } from "../../schemas/sql-quoting.ts";
import { OWN_TOPICS } from "../demo/settle.ts";
import { type Lake, openLake } from "../lake/open.ts";
import { bindingsSource } from "../lake/source.ts";
import type { Platform } from "../local-platform/platform.ts";
import { readAgain } from "../local-platform/read-again.ts";
import { leakIn, NEEDLES } from "./canaries.ts";
import type { FailureList } from "./failure-list.ts";
import { LETTERS, NO_ID, promisedSelect } from "./promised-rows.ts";

const MAX_LISTED = 20;
/** Objects: alone, each would wait for the other process twice. */
const READ_AT_ONCE = 8;

/** Calls `work` with the lake as DuckDB reads it. What does not fit its memory goes to `folder`. */
export async function withLake(platform: Platform, folder: string, work: (lake: Lake) => Promise<void>): Promise<void> {
  const lake = await openLake({ source: bindingsSource(platform.db, platform.lake), cacheDir: platform.state.cache });
  try {
    await lake.connection.run(`SET temp_directory = ${quoteText(folder)}`);
    await lake.connection.run("SET memory_limit = '1GB'");
    await work(lake);
  } finally {
    lake.close();
  }
}

/** Every accepted event is in bronze as often as it was accepted, every refused one once in the dead letters, nothing else. */
export async function checkBronze(lake: Lake, promisedPath: string, failures: FailureList): Promise<void> {
  // What the platform says of itself nobody promised.
  const own = new Set<string>(OWN_TOPICS.map((topic) => `bronze_${topic}`));
  const tables = lake.views.filter(({ name, kind }) => kind === "bronze" && name !== LETTERS && !own.has(name));
  // A dead letter is known by its request and position, an accepted event by its id and position: bronze has no request of it.
  const stored = tables.map(({ name }) => {
    const topic = name.slice("bronze_".length);
    const row =
      topic === LETTERS
        ? `request_id AS owner, event_index::INTEGER AS position`
        : `coalesce(hex(event_id), '${NO_ID}') AS owner, _event::INTEGER AS position`;
    return `SELECT '${topic}' AS topic, ${row} FROM "${name}"`;
  });
  const promised = `SELECT topic, CASE topic WHEN '${LETTERS}' THEN request_id ELSE id END AS owner, position FROM (${promisedSelect(promisedPath)})`;
  const sql = `
    SELECT topic, owner, position, sum(promised)::INTEGER AS promised, sum(stored)::INTEGER AS stored, count(*) OVER () AS wrong
      FROM (SELECT topic, owner, position, 1 AS promised, 0 AS stored FROM (${promised})
            UNION ALL
            SELECT topic, owner, position, 0 AS promised, 1 AS stored FROM (${stored.join(" UNION ALL ")}))
     GROUP BY topic, owner, position HAVING sum(promised) <> sum(stored)
     ORDER BY topic, owner, position LIMIT ${MAX_LISTED}`;
  const rows = (await lake.connection.runAndReadAll(sql)).getRows();
  for (const [topic, owner, position, wanted, found] of rows) {
    const name = topic === LETTERS ? String(owner) : Buffer.from(String(owner), "hex").toString();
    const what = `bronze_${String(topic)}: event ${String(position)} of ${JSON.stringify(name)}`;
    failures.add(null, `${what} was promised ${String(wanted)} times and is there ${String(found)} times`);
  }
  const wrong = Number(rows[0]?.[5] ?? 0);
  if (wrong > rows.length) failures.add(null, `bronze: and ${wrong - rows.length} more`);
}

/** Personal data in tables as DuckDB decodes them, in objects, and in the databases' files. */
export async function searchTraces(platform: Platform, lake: Lake, failures: FailureList): Promise<void> {
  const look = (content: string | Uint8Array, where: string) => {
    const leak = leakIn(content);
    if (leak !== undefined) failures.add(null, `personal data in ${where}: ${JSON.stringify(leak)}`);
  };
  await searchTables(lake, failures);
  let cursor: string | undefined;
  do {
    const page = await readAgain(() => platform.lake.list(cursor === undefined ? {} : { cursor }));
    // The workers share one iterator: each object is looked at by one of them.
    const objects = page.objects.values();
    const work = async () => {
      for (const { key } of objects) {
        look(key, "an object's key");
        const bytes = await readAgain(async () => await (await platform.lake.get(key))?.arrayBuffer());
        if (bytes !== undefined) look(new Uint8Array(bytes), `object ${key}`);
      }
    };
    await Promise.all(Array.from({ length: READ_AT_ONCE }, work));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  for (const path of databaseFiles(platform.state.storage)) {
    for (const piece of piecesOf(path)) look(piece, `file ${basename(path)}`);
  }
}

/**
 * D1 and the Durable Objects' databases as they lie on the disk. Write-ahead logs first: an object that is not used is closed
 * while we look, and what its log held then stands in its database.
 */
function databaseFiles(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  const { log = [], other = [] } = Object.groupBy(paths, (path) => (path.endsWith("-wal") ? "log" : "other"));
  return [...log, ...other];
}

const PIECE_BYTES = 4_194_304;
/** A needle that a cut goes through stands whole in one of the two pieces: this is more than the longest. */
const OVERLAP_BYTES = 256;

/** A file in pieces that overlap, none of one that is gone. The next one overwrites the last. */
function* piecesOf(path: string): Generator<Uint8Array> {
  const file = opened(path);
  if (file === undefined) return;
  try {
    const buffer = Buffer.alloc(PIECE_BYTES);
    let kept = 0;
    for (;;) {
      const read = readSync(file, buffer, kept, PIECE_BYTES - kept, null);
      if (read === 0) return;
      const filled = kept + read;
      yield buffer.subarray(0, filled);
      kept = Math.min(OVERLAP_BYTES, filled);
      buffer.copyWithin(0, filled - kept, filled);
    }
  } finally {
    closeSync(file);
  }
}

function opened(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function searchTables(lake: Lake, failures: FailureList): Promise<void> {
  const hit = NEEDLES.map((needle) => `contains(row, '${needle}')`).join(" OR ");
  for (const { name } of lake.views) {
    const sql = `SELECT row FROM (SELECT to_json(t)::VARCHAR AS row FROM "${name}" t) WHERE ${hit} LIMIT ${MAX_LISTED}`;
    const rows = (await lake.connection.runAndReadAll(sql)).getRows();
    for (const [row] of rows) {
      failures.add(null, `personal data in table ${name}: ${JSON.stringify(leakIn(String(row)) ?? "")}`);
    }
  }
}
