/** Rows of bronze by hour of reception: one row for all flushes that add to an hour of a date, which the ledger is compared by. */
import { beforeEach, expect, test } from "vitest";
import type { BronzeFile } from "../../../sql/statements/bronze.ts";
import { ledgerState } from "../../../sql/statements/ledger-balance.ts";
import { createD1, type D1OnSqlite } from "../../oracle/d1-on-sqlite.ts";
import { registerFiles } from "../../oracle/register.ts";

const DAY = "2026-11-21";
const HOUR = `${DAY}T10:00:00Z`;
const NEXT_HOUR = `${DAY}T11:00:00Z`;

let at: D1OnSqlite;
beforeEach(() => {
  at = createD1();
});

function fileOf(seq: number, hours: readonly [hour: string, rows: number][], changes: Partial<BronzeFile> = {}) {
  const rows = hours.reduce((sum, [, count]) => sum + count, 0);
  const date = changes.dates?.[0]?.date ?? DAY;
  const file: BronzeFile = {
    topic: "orders",
    shard: 0,
    shardOf: 2,
    incarnation: "i",
    seq,
    file: `f${seq}`,
    rows,
    bytes: 1,
    minReceived: HOUR,
    maxReceived: HOUR,
    dates: [{ date, firstRow: 0, rows }],
    hours: hours.map(([hour, count]) => ({ date, hour, rows: count })),
    ...changes,
  };
  return file;
}

const register = (minute: number, ...files: BronzeFile[]) =>
  at.d1.batch(registerFiles(at.d1, files, `${DAY}T10:${String(minute).padStart(2, "0")}:00.000Z`));
const hours = () =>
  at.sqlite
    .prepare(
      "SELECT topic, partition_date, hour, file, rows, registered_at FROM bronze_file_hours ORDER BY hour, topic, partition_date, file",
    )
    .all()
    .map((row) => Object.values(row).join(" "));
const inputsOfLedger = () =>
  at.sqlite.prepare("SELECT version FROM partition_inputs WHERE domain = 'silver_ledger'").get()?.["version"];
const built = () => at.sqlite.exec("UPDATE partition_inputs SET built_version = version");

test("flushes of any shard add to the row of their hour, date and topic, which has the time of the last", async () => {
  await register(1, fileOf(1, [[HOUR, 5]]));
  await register(2, fileOf(1, [[HOUR, 7]], { shard: 1, file: "other" }));
  await register(
    3,
    fileOf(2, [
      [HOUR, 1],
      [NEXT_HOUR, 2],
    ]),
  );
  const before = { date: "2026-11-20", firstRow: 0, rows: 4 };
  await register(
    4,
    fileOf(3, [[NEXT_HOUR, 3]]),
    fileOf(3, [[NEXT_HOUR, 4]], { file: "f3-before", dates: [before] }),
    fileOf(3, [[NEXT_HOUR, 9]], { file: "f3-more" }),
  );
  await register(4, fileOf(1, [[HOUR, 6]], { topic: "users", file: "u1" }));
  // A clock that went back.
  await register(0, fileOf(4, [[HOUR, 1]]));
  expect(hours()).toEqual([
    `orders ${DAY} ${HOUR}  14 ${DAY}T10:03:00.000Z`,
    `users ${DAY} ${HOUR}  6 ${DAY}T10:04:00.000Z`,
    `orders 2026-11-20 ${NEXT_HOUR}  4 ${DAY}T10:04:00.000Z`,
    `orders ${DAY} ${NEXT_HOUR}  14 ${DAY}T10:04:00.000Z`,
  ]);
  const { bronze } = await ledgerState(at.d1, ["orders"], HOUR, `${DAY}T12:00:00Z`);
  expect(bronze.map(({ hour, bronze: rows, registered_at }) => [hour, rows, registered_at])).toEqual([
    [HOUR, 14, `${DAY}T10:03:00.000Z`],
    [NEXT_HOUR, 4, `${DAY}T10:04:00.000Z`],
    [NEXT_HOUR, 14, `${DAY}T10:04:00.000Z`],
  ]);
});

test("whatever is added is news to silver_ledger, a late event of a built day too", async () => {
  await register(1, fileOf(1, [[HOUR, 5]]));
  built();
  const before = Number(inputsOfLedger());
  await register(2, fileOf(2, [[HOUR, 1]]));
  expect(inputsOfLedger()).toBe(before + 1);
  built();
  await register(3, fileOf(2, [[HOUR, 1]]));
  expect(inputsOfLedger()).toBe(before + 1);
});

test("a flush whose answer was lost is added once; so is a file of a version that noted no flushes", async () => {
  for (let time = 0; time < 3; time++) await register(time, fileOf(1, [[HOUR, 5]]));
  expect(hours()).toEqual([`orders ${DAY} ${HOUR}  5 ${DAY}T10:00:00.000Z`]);
  // Rows as that version wrote them.
  at.sqlite.exec(`
    INSERT INTO bronze_files VALUES ('f2', 'orders', 0, 2, 'i', 2, 3, 1, '${HOUR}', '${HOUR}', '${HOUR}', NULL, 2);
    INSERT INTO bronze_file_hours VALUES ('orders', '${DAY}', '${HOUR}', 'f2', 3, '${DAY}T10:01:00.000Z');`);
  await register(4, fileOf(2, [[HOUR, 3]]));
  expect(hours()).toEqual([
    `orders ${DAY} ${HOUR}  5 ${DAY}T10:00:00.000Z`,
    `orders ${DAY} ${HOUR} f2 3 ${DAY}T10:01:00.000Z`,
  ]);
  expect((await ledgerState(at.d1, ["orders"], HOUR, NEXT_HOUR)).bronze).toMatchObject([{ bronze: 8 }]);
});
