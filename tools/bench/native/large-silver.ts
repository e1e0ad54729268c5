/** A date of silver clicks of many rows: sent as one event, which the platform builds, and then put in place by hand. */
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { irTypeOf, sqlName } from "../../../lakehouse/engine/ir/ir-types.ts";
import { tableByName } from "../../../lakehouse/tables/catalog.ts";
import { quoteName, quoteText } from "../../../schemas/sql-quoting.ts";
import type { Platform } from "../../local-platform/platform.ts";
import { SESSIONS } from "./session-model.ts";

export const SILVER = "silver_clickstream";
const FILES = 12;
const CLICKS_A_SESSION = 9;

/** What the columns of row `i` are, of those that are not NULL. */
const COLUMNS: Readonly<Record<string, string>> = {
  event_id: "md5(i::VARCHAR)",
  session_id: `'s' || (hash(i // ${CLICKS_A_SESSION}) % 100000000)`,
  event_type: "'page_view'",
  page: "'/restaurants/restaurant-' || (i % 97) || '/items/dish-' || (i % 2000)",
  device: "['ios', 'android', 'desktop', 'tablet'][1 + i % 4]",
  duration_ms: "(hash(i + 1) % 100000)::BIGINT",
  record_hash: "md5((i + 1)::VARCHAR) || md5((i + 2)::VARCHAR)",
};

/** Writes the date's rows into files of `folder`; gives their paths. */
export async function writeClicks(folder: string, date: string, rows: number): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const table = tableByName(SILVER);
  if (table === undefined) throw new Error(`${SILVER} is not compiled`);
  const columns = table.fields.map(({ name, type }) => {
    const day = `DATE ${quoteText(date)}`;
    const own = name === "event_date" ? day : name === "event_timestamp" ? timeOf(date, rows) : COLUMNS[name];
    return `CAST(${own ?? "NULL"} AS ${sqlName(irTypeOf(type))}) AS ${quoteName(name)}`;
  });
  const instance = await DuckDBInstance.create(":memory:", { memory_limit: "2GB" });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const paths: string[] = [];
  for (let file = 0; file < FILES; file++) {
    const path = join(folder, `${file}.parquet`);
    const [from, to] = [Math.floor((rows * file) / FILES), Math.floor((rows * (file + 1)) / FILES)];
    await connection.run(
      `COPY (SELECT ${columns.join(", ")} FROM range(${from}, ${to}) t(i)) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 65536)`,
    );
    paths.push(path);
  }
  connection.closeSync();
  instance.closeSync();
  return paths;
}

/** The day's time of row `i`: all of it, evenly. */
function timeOf(date: string, rows: number): string {
  return `TIMESTAMPTZ '${date} 00:00:00+00' + to_microseconds((i * ${Math.floor(86_400_000_000 / rows)})::BIGINT)`;
}

/** Has the platform build the date of one event, and puts the files in the place of its silver. The model's partition waits then. */
export async function placeClicks(
  platform: Platform,
  date: string,
  paths: readonly string[],
  rows: number,
): Promise<void> {
  const event = {
    event_id: "first",
    session_id: "s",
    event_timestamp: `${date}T12:00:00Z`,
    event_type: "page_view",
    page: "/",
    device: "ios",
  };
  const response = await fetch(`${platform.url}/v1/topics/clickstream/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${platform.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(event),
  });
  if (response.status !== 202 && response.status !== 200)
    throw new Error(`the event was answered ${await response.text()}`);
  await untilWaiting(platform, date);
  const { db, lake } = platform;
  const isLive = `table_name = '${SILVER}' AND partition_date = ?1 AND kind = 'data' AND removed IS NULL`;
  const old = await db.prepare(`SELECT * FROM data_files WHERE ${isLive}`).bind(date).first<Record<string, unknown>>();
  if (old === null) throw new Error("silver has no file");
  for (const [n, path] of paths.entries()) {
    const file = `${String(old["file"]).replace(/\.parquet$/, "")}-bench-${n}.parquet`;
    await lake.put(file, readFileSync(path));
    const row = {
      ...old,
      file,
      rows: Math.floor((rows * (n + 1)) / FILES) - Math.floor((rows * n) / FILES),
      bytes: statSync(path).size,
      stats: null,
    };
    const names = Object.keys(row);
    await db
      .prepare(`INSERT INTO data_files (${names.join(", ")}) VALUES (${names.map((_, at) => `?${at + 1}`).join(", ")})`)
      .bind(...Object.values(row))
      .run();
  }
  await db.prepare(`DELETE FROM data_files WHERE file = ?1`).bind(old["file"]).run();
  await db
    .prepare(`UPDATE published SET rows = ?2 WHERE table_name = '${SILVER}' AND partition_date = ?1`)
    .bind(date, rows)
    .run();
}

export async function untilWaiting(platform: Platform, date: string): Promise<void> {
  for (let look = 0; look < 600; look++) {
    const row = await platform.db
      .prepare(
        "SELECT count(*) AS n FROM partition_meta WHERE domain = ?1 AND partition_date = ?2 AND status IN ('PENDING', 'REPROCESSING')",
      )
      .bind(SESSIONS, date)
      .first<{ n: number }>();
    if (row?.n === 1) return;
    await delay(200);
  }
  throw new Error(`${SESSIONS} of ${date} does not wait for a builder`);
}
