import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contracts } from "../../../../contracts/registry.ts";
import { namedManifest } from "../../../../lakehouse/tables/bronze/manifest.ts";
import { openLake } from "../../../../tools/lake/open.ts";
import { formatResult } from "../../../../tools/lake/result-format.ts";
import type { LakeSource } from "../../../../tools/lake/source.ts";
import { exampleQueries, overview } from "../../../../tools/query/help.ts";
import { migratedDatabase } from "../../../oracle/migrated-database.ts";
import { versionSql } from "../../../oracle/version-sql.ts";

const NOW = "2026-11-21T00:00:00Z";

let dir: string;
let catalog: DatabaseSync;
let objects: Map<string, Uint8Array>;
let reads: string[];
let source: LakeSource;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-lake-"));
  catalog = migratedDatabase();
  objects = new Map();
  reads = [];
  source = {
    query: async (sql) => catalog.prepare(sql).all(),
    read: async (key) => {
      reads.push(key);
      return objects.get(key);
    },
    close: async () => {},
  };
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Stores a Parquet file with the rows of a query, and returns its size. */
async function put(key: string, sql: string): Promise<number> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const path = join(dir, "made.parquet");
  await connection.run(`COPY (${sql}) TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  const bytes = new Uint8Array(readFileSync(path));
  objects.set(key, bytes);
  return bytes.length;
}

/** The next version of a table's one date, which replaces what it had; with rows kept aside, if there are any. */
async function commit(table: string, version: number, key: string, sql: string, aside?: string): Promise<void> {
  const files = [{ file: key, rows: 1, bytes: await put(key, sql) }];
  const quarantine =
    aside === undefined
      ? []
      : [{ file: aside, rows: 1, bytes: await put(aside, `SELECT '${version}' AS event_id`), kind: "quarantine" }];
  catalog.exec(versionSql({ table, version, date: "2026-11-21", at: NOW, files: [...files, ...quarantine] }));
}

async function registerBronze(topic: string, key: string, sql: string, rows: number, retiredBy: string | null) {
  const bytes = await put(key, sql);
  catalog
    .prepare("INSERT INTO bronze_files VALUES (?, ?, 0, 1, 'i', 1, ?, ?, ?, ?, ?, ?, 1)")
    .run(key, topic, rows, bytes, NOW, NOW, NOW, retiredBy);
}

async function ask(sql: string): Promise<string> {
  const lake = await openLake({ source, cacheDir: join(dir, "cache") });
  const text = formatResult(await lake.connection.runAndReadAll(sql), "csv");
  lake.close();
  return text;
}

describe("openLake", () => {
  it("shows the published version of each table, and no superseded file", async () => {
    await commit("silver_weather", 1, "silver/weather/event_date=2026-11-21/a.parquet", "SELECT 1 AS x");
    await commit("silver_weather", 2, "silver/weather/event_date=2026-11-21/b.parquet", "SELECT 2 AS x");
    expect(await ask("FROM silver_weather")).toBe("x\r\n2");
    expect(reads).toEqual(["silver/weather/event_date=2026-11-21/b.parquet"]);
  });

  it("fetches an object once, and again when the copy is not whole", async () => {
    await commit("gold", 1, "gold/a.parquet", "SELECT 1 AS x");
    await ask("FROM gold");
    await ask("FROM gold");
    expect(reads).toHaveLength(1);
    catalog.exec("UPDATE data_files SET bytes = bytes + 1");
    await ask("FROM gold");
    expect(reads).toHaveLength(2);
  });

  it("has live bronze only, and files of different schema versions in one view", async () => {
    await registerBronze("orders", "bronze/orders/1.parquet", "SELECT 'a' AS event_id", 1, null);
    await registerBronze("orders", "bronze/orders/2.parquet", "SELECT 'b' AS event_id, 1 AS extra", 1, null);
    await registerBronze("orders", "bronze/orders/3.parquet", "SELECT 'c' AS event_id", 1, "compaction");
    expect(await ask("SELECT event_id, extra FROM bronze_orders ORDER BY 1")).toBe("event_id,extra\r\na,\r\nb,1");
  });

  it("has bronze that D1 left to manifests, each file once, and where its inputs were", async () => {
    await registerBronze("orders", "bronze/orders/late.parquet", "SELECT 'late' AS event_id", 1, null);
    const times = { min_received: NOW, max_received: NOW, registered_at: NOW, last_date: "2026-11-21" };
    const place = { shard: 0, shard_of: 1, first_row: 0, rows: 1, ...times };
    const inputOf = (registration: number, file: string) => ({
      ...{ registration, file, first_row: 0, rows: 1, registered_at: NOW, stored_row: 0 },
    });
    for (const date of ["2026-11-20", "2026-11-21"]) {
      const shared = "bronze_mixed/orders/1.parquet";
      const own = `bronze/orders/event_date=${date}/c.parquet`;
      const files = [
        {
          ...place,
          file: own,
          bytes: await put(own, `SELECT '${date}' AS event_id`),
          inputs: [inputOf(2, `${own}-flushed`)],
        },
        { ...place, file: shared, bytes: await put(shared, "SELECT 's' AS event_id"), inputs: [inputOf(1, shared)] },
        { ...place, file: "bronze/orders/gone.parquet", bytes: 1, retired: true as const, inputs: [] },
      ];
      const { key, text } = namedManifest("orders", date, files);
      objects.set(key, new TextEncoder().encode(text));
      catalog
        .prepare("INSERT INTO bronze_manifests VALUES ('orders', ?, ?, 2, 2, 2, 2, 2, ?, ?, ?, ?, 'f')")
        .run(date, key, NOW, NOW, NOW, NOW);
    }
    expect((await ask("SELECT event_id FROM bronze_orders ORDER BY 1")).split("\r\n").slice(1)).toEqual([
      "2026-11-20",
      "2026-11-21",
      "late",
      "s",
    ]);
    const sources = "SELECT registration, retired_by FROM partition_sources WHERE domain = 'orders' ORDER BY ALL";
    expect((await ask(sources)).split("\r\n").slice(1)).toEqual([
      "1,",
      "1,",
      "2,bronze/orders/event_date=2026-11-20/c.parquet",
      "2,bronze/orders/event_date=2026-11-21/c.parquet",
    ]);
  });

  it("keeps the columns of a table whose rows are all gone", async () => {
    await registerBronze("weather", "bronze/weather/1.parquet", "SELECT 'a' AS event_id", 1, "retention");
    expect(await ask("FROM bronze_weather")).toBe("event_id");
  });

  it("has the quarantine of the published versions only, and an empty one of a topic whose checks may fill it", async () => {
    expect(await ask("SELECT count(*) AS n, count(_failed_checks) AS f FROM quarantine_payments")).toBe("n,f\r\n0,0");
    const commitBoth = (version: number, id: string) =>
      commit("silver_payments", version, `silver/${id}.parquet`, "SELECT 1 AS x", `quarantine/payments/${id}.parquet`);
    await commitBoth(1, "old");
    await commitBoth(2, "new");
    expect(await ask("SELECT event_id FROM quarantine_payments")).toBe("event_id\r\n2");
    expect(reads).not.toContain("quarantine/payments/old.parquet");
  });

  it("has the columns of every version of a topic, though all its files are older", async () => {
    await registerBronze("orders", "bronze/orders/1.parquet", "SELECT 'a' AS event_id", 1, null);
    expect(await ask("FROM bronze_orders")).toBe("event_id,delivery_fee,gift\r\na,,");
  });

  it("has an empty view with typed columns for every topic, and for the dead letters", async () => {
    const lake = await openLake({ source, cacheDir: join(dir, "cache") });
    const names = lake.views.map((view) => view.name);
    expect(names).toEqual(expect.arrayContaining(contracts.map((contract) => `bronze_${contract.topic}`)));
    expect(names).toContain("dead_letters");
    const described = await lake.connection.runAndReadAll("DESCRIBE bronze_orders");
    const types = new Map(described.getRows().map(([name, type]) => [name, type]));
    expect(types.get("event_timestamp")).toBe("TIMESTAMP WITH TIME ZONE");
    expect(types.get("event_date")).toBe("DATE");
    expect(types.get("items")).toMatch(/^STRUCT\(.*\)\[\]$/);
    lake.close();
  });

  it("has the catalog's tables", async () => {
    catalog.exec("INSERT INTO partition_meta (domain, partition_date, status) VALUES ('orders', '2026-11-21', 'DONE')");
    const checks =
      '{"table_name": "t", "checked_at": "x", "results": [{"layer": "silver", "check_name": "c", "metric": "rowCount", "measured": 2.5, "bound": "{}", "passed": 1, "on_fail": "warn"}]}';
    catalog.exec(
      `INSERT INTO ended_runs (domain, partition_date, run_id, fence, status, started_at, finished_at, rows_in, rows_out, error_message, checks) VALUES ('orders', '2026-11-21', 'r', 1, 'DONE', '2026-11-21T10:00:00Z', '2026-11-21T10:00:01Z', 1, 1, NULL, '${checks}')`,
    );
    expect(await ask("SELECT domain, status, retry_count + 1 AS n, run_id FROM partition_meta")).toBe(
      "domain,status,n,run_id\r\norders,DONE,1,",
    );
    expect(await ask("SELECT measured * 2 AS m FROM quality_results WHERE table_name = 't' AND passed = 1")).toBe(
      "m\r\n5",
    );
    expect(await ask("SELECT fence + 1 AS n, status FROM runs")).toBe("n,status\r\n2,DONE");
  });

  it("says which object is missing", async () => {
    await commit("gold", 1, "gold/a.parquet", "SELECT 1 AS x");
    objects.clear();
    await expect(ask("FROM gold")).rejects.toMatchObject({ code: "LAKE_UNREADABLE", message: /gold\/a\.parquet/ });
  });

  it("does not write outside its cache", async () => {
    await commit("gold", 1, "../../evil.parquet", "SELECT 1 AS x");
    await expect(ask("FROM gold")).rejects.toMatchObject({ code: "LAKE_UNREADABLE" });
  });

  it("works in UTC", async () => {
    expect(await ask("SELECT TIMESTAMPTZ '2026-11-21 10:00:00+02' AS t")).toBe("t\r\n2026-11-21 08:00:00+00");
  });
});

describe("results", () => {
  it("are JSON without lost digits", async () => {
    const lake = await openLake({ source, cacheDir: join(dir, "cache") });
    const reader = await lake.connection.runAndReadAll(
      "SELECT count(*) AS n, 9007199254740993 AS big, 1.50::DECIMAL(4, 2) AS d, [1] AS l, NULL AS z",
    );
    expect(JSON.parse(formatResult(reader, "json"))).toEqual([
      { n: 1, big: "9007199254740993", d: "1.50", l: [1], z: null },
    ]);
    lake.close();
  });

  it("are CSV that quotes what must be", async () => {
    expect(await ask("SELECT 'a,b' AS x, '' AS y, 'say \"hi\"' AS z")).toBe('x,y,z\r\n"a,b","","say ""hi"""');
  });

  it("are a table that says how much is not shown", async () => {
    const lake = await openLake({ source, cacheDir: join(dir, "cache") });
    const text = formatResult(await lake.connection.runAndReadAll("FROM range(250)"), "table");
    expect(text.split("\n")).toHaveLength(203);
    expect(text).toMatch(/\(250 rows, of which the first 200; --format csv prints all\)$/);
    lake.close();
  });
});

it("the overview's examples run, on an empty lake and on a full one", async () => {
  for (const full of [false, true]) {
    if (full) {
      await commit("silver_orders", 1, "silver/orders/a.parquet", "SELECT 1 AS x");
      await commit("revenue", 1, "gold/revenue/a.parquet", "SELECT 1 AS x");
      await registerBronze("orders", "bronze/orders/1.parquet", "SELECT 'a' AS event_id, now() AS _received", 1, null);
    }
    const lake = await openLake({ source, cacheDir: join(dir, "cache") });
    const examples = exampleQueries(lake.views);
    expect(examples).toHaveLength(3);
    for (const sql of examples) await lake.connection.runAndReadAll(sql);
    expect(overview(lake.views)).toContain(`npm run query -- "${examples[0]}"`);
    lake.close();
  }
});
