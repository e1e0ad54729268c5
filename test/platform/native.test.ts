/** Native builds on the real bundle: builders as anybody starts them take, make and publish a model's partitions, whoever of them dies. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { models } from "../../lakehouse/tables/compiled/models.generated.ts";
import { compareWithDuckDb } from "../../tools/lake/model-oracle.ts";
import { type BuilderProcess, startBuilderProcess } from "../../tools/local-platform/builder-process.ts";
import { NATIVE_ENTRY } from "./bundles.ts";
import { allBuilt, bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

const TABLE = "daily_external_data";
const DAYS = 4;

let at: TestPlatform;
const builders: BuilderProcess[] = [];
const folder = mkdtempSync(join(tmpdir(), "sluice-native-"));
const built: { readonly table: string; readonly date: string; readonly outcome: string }[] = [];

beforeAll(async () => {
  at = await startTestPlatform({ entry: NATIVE_ENTRY });
});
afterAll(async () => {
  await Promise.all(builders.map((builder) => builder.stop()));
  await at.close();
  rmSync(folder, { recursive: true, force: true });
});

function startBuilder(): BuilderProcess {
  const { url, apiKey } = at.platform;
  const dir = join(folder, String(builders.length));
  const onBuilt = (event: string) => void built.push(JSON.parse(event));
  const builder = startBuilderProcess({
    url,
    apiKey,
    dir,
    memory: "300MB",
    onBuilt,
    log: (line) => console.error(line),
  });
  builders.push(builder);
  return builder;
}

const rows = async (sql: string) => (await at.platform.db.prepare(sql).all<Record<string, unknown>>()).results;

async function runs(where: string): Promise<Record<string, unknown>[]> {
  return rows(`SELECT run_id, partition_date, builder_id, outcome FROM native_runs WHERE ${where}`);
}

async function poll(what: string, done: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < 600; look++) {
    if (await done()) return;
    await delay(50);
  }
  throw new Error(`${what} did not come true in 30 s: ${JSON.stringify(await runs("true"))}`);
}

test("a builder that is killed in the middle costs its lease, and two share what waits: each date is published once, with DuckDB's rows", async () => {
  const events = Array.from({ length: 10 * DAYS }, (_, n) => ({
    event_id: `e-${n}`,
    event_timestamp: new Date(Date.now() - (n % DAYS) * 86_400_000 - 60_000).toISOString(),
    source_kind: n % 2 === 0 ? "maps" : "social",
    source_name: `source-${n % 3}`,
    region: "SE-M",
    ...(n % 2 === 0
      ? { maps: { route_id: "malmo-lund", distance_m: 18_400, travel_time_s: 1_000 + n } }
      : { social: { keyword: "pizza", mentions: n, sentiment: n / 100 } }),
  }));
  const answer = await at.post("external_data", JSON.stringify(events));
  expect(answer.json).toMatchObject({ accepted: events.length });
  await at.until(
    "all events in bronze",
    async () => (await bronzeRows(at.platform, "external_data")) === events.length,
  );
  await at.until("all dates wait for a native builder", async () => {
    const [waiting] = await rows(
      `SELECT count(*) AS n FROM partition_meta WHERE domain = '${TABLE}' AND status = 'PENDING'`,
    );
    return waiting?.["n"] === DAYS;
  });

  // kill -9 while its SQL runs.
  const victim = startBuilder();
  await poll("a lease", async () => (await runs("true")).length === 1);
  await delay(300);
  victim.kill();
  expect(await victim.gone).toBe("SIGKILL");
  const [lost] = await runs("true");
  expect(lost).toMatchObject({ outcome: null });
  expect(await rows("SELECT version FROM versions WHERE table_name = 'daily_external_data'")).toEqual([]);

  // The lease's end, as if its time had passed: two others take that date and the rest.
  await at.platform.db
    .prepare("UPDATE partition_leases SET lease_until = 1 WHERE run_id = ?")
    .bind(lost?.["run_id"])
    .run();
  startBuilder();
  startBuilder();
  await at.until("everything built", () => allBuilt(at.platform));

  const published = await runs("outcome = 'published'");
  expect(published.map((run) => run["partition_date"]).sort()).toEqual(
    [...new Set(published.map((run) => run["partition_date"]))].sort(),
  );
  expect(published).toHaveLength(DAYS);
  expect(new Set(published.map((run) => run["builder_id"])).size).toBe(2);
  expect(built.map(({ outcome }) => outcome)).toEqual(Array.from({ length: DAYS }, () => "published"));
  const versions = await rows(
    "SELECT partition_date, count(*) AS n FROM versions WHERE table_name = 'daily_external_data' GROUP BY 1",
  );
  expect(versions.map((row) => row["n"])).toEqual(Array.from({ length: DAYS }, () => 1));

  const model = models.find(({ name }) => name === TABLE);
  if (model === undefined) throw new Error(`${TABLE} is not compiled`);
  const lake = await at.lake();
  expect((await compareWithDuckDb(lake.connection, model)).differing).toBe(0);
  lake.close();
  expect(
    await at.rows(`SELECT count(DISTINCT event_date)::INT AS days, sum(observations)::INT AS events FROM ${TABLE}`),
  ).toEqual([{ days: DAYS, events: events.length }]);
  expect(at.errors).toEqual([]);
});
