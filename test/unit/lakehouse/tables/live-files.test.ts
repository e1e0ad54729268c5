/** What a build asks of D1 to learn the files of the partitions that it reads. */
import { expect, test } from "vitest";
import { addDays } from "../../../../lakehouse/engine/ir/relation.ts";
import { livePartition, livePartitions } from "../../../../lakehouse/tables/live-files.ts";
import { createD1 } from "../../../oracle/d1-on-sqlite.ts";
import { MemoryBucket } from "../../../oracle/memory-bucket.ts";

test("a year of partitions takes two queries for each month, and each is as one that is asked by itself", async () => {
  const { d1, sqlite } = createD1();
  const dates = Array.from({ length: 366 }, (_, day) => addDays("2026-01-01", day));
  for (const [n, date] of dates.entries()) {
    sqlite
      .prepare(
        "INSERT INTO versions (table_name, version, partition_date, run_id, fence, kind, rows, rows_added, digest, committed_at) VALUES ('t', ?, ?, 'r', 1, 'commit', 3, 3, '', '2026-01-01T00:00:00Z')",
      )
      .run(n + 1, date);
    sqlite
      .prepare("INSERT INTO published (table_name, partition_date, version, rows) VALUES ('t', ?, ?, 3)")
      .run(date, n + 1);
    const file = sqlite.prepare(
      "INSERT INTO data_files (table_name, partition_date, file, kind, added, removed, rows, bytes) VALUES ('t', ?, ?, 'data', ?, ?, 1, 1)",
    );
    for (const [name, removed] of [
      ["b", null],
      ["a", null],
      ["gone", n + 1],
    ] as const)
      file.run(date, `${date}/${name}`, 0, removed);
  }
  let queries = 0;
  const batch: D1Database["batch"] = (statements) => {
    queries += statements.length;
    return d1.batch(statements);
  };
  const counted = new Proxy(d1, { get: (target, name) => (name === "batch" ? batch : Reflect.get(target, name)) });
  const bucket = new MemoryBucket(() => 0);
  const live = await livePartitions(counted, bucket, "t", [...dates, "2099-01-01"]);
  expect(queries).toBeLessThanOrEqual(24);
  expect([...live.keys()]).toEqual(dates);
  for (const date of [dates[0] ?? "", dates[200] ?? ""]) {
    expect(live.get(date)).toEqual(await livePartition(d1, bucket, "t", date));
    expect(live.get(date)?.files.map(({ file }) => file)).toEqual([`${date}/a`, `${date}/b`]);
  }
});
