/** What versions before this one published is adopted as it stands: files, numbers, what was seen, the ledger's terms. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeAll, describe, expect, test } from "vitest";
import { foldBronze } from "../../../lakehouse/tables/bronze/fold.ts";
import { bronzeInputs } from "../../../lakehouse/tables/bronze/inputs.ts";
import { readMigrations } from "../../../tools/local-platform/migrations.ts";
import { createD1 } from "../../oracle/d1-on-sqlite.ts";
import { MemoryBucket } from "../../oracle/memory-bucket.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const BEFORE = readFileSync(resolve(import.meta.dirname, "lake-before-versions.sql"), "utf8");

type Row = Record<string, unknown>;
let db: DatabaseSync;
let old: { readonly files: Row[]; readonly aside: Row[]; readonly published: Row[]; readonly all: Row[] };

const rows = (sql: string): Row[] =>
  db
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));

beforeAll(() => {
  db = new DatabaseSync(":memory:");
  const migrations = readMigrations(resolve(ROOT, "sql/migrations"));
  const from = migrations.findIndex(({ name }) => name.startsWith("0014"));
  for (const { sql } of migrations.slice(0, from)) db.exec(sql);
  db.exec(BEFORE);
  const live = (table: string) =>
    rows(
      `SELECT table_name, partition_date, file, f.rows, f.bytes FROM published JOIN ${table} f USING (snapshot_id) ORDER BY file`,
    );
  old = {
    files: live("snapshot_files"),
    aside: live("quarantine_files"),
    published:
      rows(`SELECT p.table_name, p.partition_date, s.rows, s.run_id, s.fence, s.input_digest AS digest, s.committed_at
      FROM published p JOIN snapshots s USING (snapshot_id) ORDER BY 1, 2`),
    all: rows("SELECT file FROM snapshot_files UNION SELECT file FROM quarantine_files ORDER BY file"),
  };
  for (const { sql } of migrations.slice(from)) db.exec(sql);
});

describe("a lake with sealed, compacted and quarantined dates", () => {
  test("keeps every published row, with the files it had", () => {
    const live = (kind: string) =>
      rows(`SELECT table_name, partition_date, file, f.rows, f.bytes FROM published p JOIN data_files f USING (table_name, partition_date)
        WHERE kind = '${kind}' AND f.added = p.version AND f.removed IS NULL ORDER BY file`);
    expect([live("data"), live("quarantine")]).toEqual([old.files, old.aside]);
    expect(old.aside).toHaveLength(2);
    expect(
      rows(`SELECT p.table_name, p.partition_date, v.rows, run_id, fence, digest, committed_at
        FROM published p JOIN versions v USING (table_name, version) WHERE kind = 'adopted' ORDER BY 1, 2`),
    ).toEqual(old.published);
  });

  test("numbers them in the order of their commits, up to the number that the table's pointer has", () => {
    expect(rows("SELECT table_name, version, partition_date FROM versions ORDER BY 1, 2")).toEqual([
      { table_name: "pipeline_health", version: 9, partition_date: "2026-11-21" },
      { table_name: "pipeline_health", version: 10, partition_date: "2026-12-01" },
      { table_name: "silver_ledger", version: 9, partition_date: "2026-11-21" },
      { table_name: "silver_ledger", version: 10, partition_date: "2026-12-01" },
      { table_name: "silver_weather", version: 4, partition_date: "2026-11-21" },
      { table_name: "silver_weather", version: 5, partition_date: "2026-12-01" },
      { table_name: "silver_weather", version: 6, partition_date: "2026-11-29" },
    ]);
  });

  test("has seen what its inputs were, compacted and let go or not, and nothing that came since", () => {
    expect(
      rows(`SELECT partition_date, built, count(*) AS files, max(registration) AS newest FROM partition_sources
        WHERE domain = 'weather' GROUP BY 1, 2 ORDER BY 1, 2`),
    ).toEqual([
      { partition_date: "2026-11-21", built: 1, files: 3, newest: 3 },
      { partition_date: "2026-11-29", built: 1, files: 1, newest: 6 },
      { partition_date: "2026-12-01", built: 0, files: 1, newest: 7 },
      { partition_date: "2026-12-01", built: 1, files: 2, newest: 5 },
    ]);
    expect(
      rows("SELECT count(*) AS n FROM versions WHERE table_name <> 'silver_weather' AND seen IS NOT NULL"),
    ).toEqual([{ n: 0 }]);
  });

  test("says where the bronze rows went, as the ledger does", () => {
    const [sealed] = rows(
      "SELECT terms FROM versions WHERE table_name = 'silver_weather' AND partition_date = '2026-11-21'",
    );
    expect(JSON.parse(String(sealed?.["terms"]))).toEqual({
      duplicates: rows("SELECT hour, events FROM ledger_duplicates WHERE partition_date = '2026-11-21'"),
      outcomes: rows("SELECT hour, term, events, replayed FROM ledger_outcomes WHERE partition_date = '2026-11-21'"),
    });
  });

  test("lets go of the files of replaced versions, and of no others", () => {
    const kept = new Set([...old.files, ...old.aside].map(({ file }) => file));
    const gone = rows("SELECT object AS file FROM tombstones WHERE reason = 'superseded' ORDER BY object");
    expect(gone).toEqual(old.all.filter(({ file }) => !kept.has(file)));
    expect(gone.length).toBeGreaterThan(0);
  });
});

test("a file that came in behind a build's list, with a lower number than others in it, is not taken as seen", () => {
  const other = new DatabaseSync(":memory:");
  const migrations = readMigrations(resolve(ROOT, "sql/migrations"));
  const from = migrations.findIndex(({ name }) => name.startsWith("0014"));
  for (const { sql } of migrations.slice(0, from)) other.exec(sql);
  other.exec(BEFORE);
  // The build of 2026-12-01 read the second of its files, and not the first.
  other.exec(`UPDATE snapshots SET inputs = json_remove(inputs, '$[0]') WHERE snapshot_id = 'run-0022'`);
  for (const { sql } of migrations.slice(from)) other.exec(sql);
  const row = other.prepare("SELECT seen FROM versions WHERE table_name = 'silver_weather' AND version = 5").get();
  expect(row?.["seen"]).toBe(3);
});

test("its closed dates leave D1 with their rows where they are: compacted, let go of, or neither; one with news stays", async () => {
  const other = new DatabaseSync(":memory:");
  for (const [n, { sql }] of readMigrations(resolve(ROOT, "sql/migrations")).entries()) {
    if (n === 13) other.exec(BEFORE);
    other.exec(sql);
  }
  const { d1 } = createD1(other);
  const bucket = new MemoryBucket();
  const dates = ["2026-11-21", "2026-11-29", "2026-12-01"];
  const inputs = () => Promise.all(dates.map((date) => bronzeInputs(d1, bucket, "weather", date)));
  const before = await inputs();
  expect(before.map((each) => each.length)).toEqual([3, 1, 3]);
  const { dates: folded } = await foldBronze(d1, bucket, ["weather"], Date.UTC(2027, 0, 1));
  const left = other.prepare("SELECT topic, partition_date FROM bronze_manifests ORDER BY 2").all();
  expect(left.map((row) => row["partition_date"])).toEqual(["2026-11-21", "2026-11-29"]);
  expect(folded).toBe(2);
  expect(await inputs()).toEqual(before);
});
