/** A change of a partition's inputs: when the first one behind a build came and behind which flushes, in as few rows as can be. */
import { beforeEach, describe, expect, test } from "vitest";
import { markStale } from "../../../sql/statements/stale-partitions.ts";
import { createD1, type D1OnSqlite } from "../../oracle/d1-on-sqlite.ts";

const DATE = "2026-11-21";
const LONG_AGO = 5;

let at: D1OnSqlite;
beforeEach(() => {
  at = createD1();
  at.sqlite.exec(
    `INSERT INTO shards (topic, shard, shard_of, first_seen, registration) VALUES ('orders', 0, 2, '', 7), ('orders', 1, 2, '', 9)`,
  );
});

/** Inputs of `version` 3, as of a change long ago. */
function inputs(builtVersion: number, failedVersion: number | null): void {
  at.sqlite.exec(`
    INSERT INTO partition_inputs (domain, partition_date, version, built_version) VALUES ('orders', '${DATE}', 3, ${builtVersion});
    INSERT INTO partition_leases (domain, partition_date, failed_version) VALUES ('orders', '${DATE}', ${failedVersion});
    UPDATE partition_inputs SET changed_at = ${LONG_AGO}, unseen_after = 1;`);
}

const CHANGES: Readonly<Record<string, () => Promise<unknown>>> = {
  "something was registered": async () => at.sqlite.exec(`INSERT INTO input_changes VALUES ('orders', '${DATE}')`),
  "a table that it reads was built": () =>
    at.d1.batch(
      markStale([{ domain: "orders", date: DATE, ifKnown: true }], {
        held: "1 = 1",
        prepare: (sql, ...values) => at.d1.prepare(sql).bind("", "", "", 0, ...values),
      }),
    ),
  "a version before this one counted it": async () =>
    at.sqlite.exec(`INSERT INTO partition_inputs (domain, partition_date, version) VALUES ('orders', '${DATE}', 1)
      ON CONFLICT DO UPDATE SET version = version + 1`),
};

describe.each(Object.entries(CHANGES))("%s", (name, change) => {
  const rowsChanged = async () => {
    const total = () => Number(at.sqlite.prepare("SELECT total_changes() AS n").get()?.["n"]);
    const before = total();
    await change();
    return total() - before;
  };
  const noted = () => {
    const row = at.sqlite.prepare("SELECT version, changed_at, unseen_after FROM partition_inputs").get();
    return { version: row?.["version"], now: Number(row?.["changed_at"]) > LONG_AGO, behind: row?.["unseen_after"] };
  };

  test.each([
    ["behind a build", 3, null],
    ["behind a build that failed", 2, 3],
  ])("the first %s is noted with the flushes before it", async (_, built, failed) => {
    inputs(built, failed);
    const rows = await rowsChanged();
    expect(noted()).toEqual({ version: 4, now: true, behind: 9 });
    expect(rows).toBe(name.startsWith("a version before") ? 2 : 1);
  });

  test("a further one leaves what was noted", async () => {
    inputs(2, null);
    at.sqlite.exec("UPDATE partition_leases SET run_id = 'under way'");
    expect(await rowsChanged()).toBe(1);
    expect(noted()).toEqual({ version: 4, now: false, behind: 1 });
  });

  test("the first of a partition is noted", async () => {
    await change();
    if (name.startsWith("a table")) expect(noted().version).toBeUndefined();
    else expect(noted()).toEqual({ version: 1, now: true, behind: 9 });
  });
});
