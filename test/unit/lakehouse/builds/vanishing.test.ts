/** Builders that are gone in the middle of a step: the same message, delivered again, goes on. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Table, tables } from "../../../../lakehouse/tables/catalog.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { uuidAt } from "../../../oracle/frames.ts";
import { type Around, Lake, tableOf } from "../../../oracle/lake.ts";
import { weatherMessage } from "../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const STEP_ROWS = 64;

beforeAll(() => loadParquetWasm());

const weather = tableOf("weather");
const ledger = requireLedger();

function requireLedger(): Table {
  const table = tables.find(({ kind }) => kind === "ledger");
  if (table === undefined) throw new Error("there is no ledger");
  return table;
}

/** A lake with one flush of so many rows. */
async function lakeOf(rows: number): Promise<Lake> {
  const lake = new Lake(NOON);
  const events = Array.from({ length: rows }, (_, n) => ({ eventId: `e${n}`, at: (NOON - n * 60_000) * 1_000 }));
  await lake.land("weather", [weatherMessage({ messageId: uuidAt(NOON, 1), received: NOON * 1_000, events })]);
  return lake;
}

class GoneError extends Error {}

/** A builder in an isolate that ends when it reads bronze for a step of more than so many rows: nothing is done after that. */
function isolateOf(lake: Lake, rows: number): Around {
  let gone = false;
  return async (work, call) => {
    if (call.startsWith("get bronze/")) {
      const [lease] = lake.d1.rows<{ splits: number }>("SELECT splits FROM partition_leases WHERE domain = 'weather'");
      if (Math.ceil(STEP_ROWS / 2 ** (lease?.splits ?? 0)) > rows) gone = true;
    }
    if (gone) throw new GoneError("gone");
    return work();
  };
}

/** Delivers each message until a builder comes to its end, in an isolate of so many rows; gives the outcomes, and how many vanished. */
async function deliverAll(lake: Lake, rows: number): Promise<{ outcomes: string[]; vanished: number }> {
  const outcomes: string[] = [];
  let vanished = 0;
  for (let idle = 0; idle < 3; ) {
    const queued = (await lake.plan()).filter(({ domain }) => domain === "weather");
    idle = queued.length === 0 ? idle + 1 : 0;
    for (const { date, nonce } of queued) {
      for (let delivery = 1; delivery <= 100; delivery++) {
        try {
          const outcome = await lake.build(weather, date, STEP_ROWS, nonce, isolateOf(lake, rows));
          outcomes.push("rowsIn" in outcome ? `${outcome.kind} ${outcome.rowsIn}` : outcome.kind);
          break;
        } catch (error) {
          if (!(error instanceof GoneError)) throw error;
          vanished++;
        }
      }
    }
    // Far less than a lease: nothing waits for one to run out.
    lake.now += 1_000;
  }
  return { outcomes, vanished };
}

const statusOf = (lake: Lake) =>
  lake.d1.rows<{ status: string; retry_count: number; error_message: string | null }>(
    "SELECT status, retry_count, error_message FROM partition_meta WHERE domain = 'weather'",
  )[0];
const sizeOf = (lake: Lake) =>
  lake.d1.rows("SELECT vanished, splits, pieces FROM partition_leases WHERE domain = 'weather'")[0];

describe("a builder that vanished", () => {
  test("is replaced by the next delivery of its message, without a wait and with no retry used", async () => {
    const lake = await lakeOf(5);
    const [request] = (await lake.plan()).filter(({ domain }) => domain === "weather");
    await expect(lake.build(weather, DAY, STEP_ROWS, request?.nonce, isolateOf(lake, 0))).rejects.toThrow("gone");
    expect(statusOf(lake)?.status).toBe("IN_FLIGHT");
    expect(await lake.build(weather, DAY, STEP_ROWS, "another message")).toEqual({ kind: "not_needed" });
    expect(await lake.build(weather, DAY, STEP_ROWS, request?.nonce)).toMatchObject({ kind: "committed", rowsIn: 5 });
    expect([statusOf(lake), sizeOf(lake)]).toEqual([
      { status: "DONE", retry_count: 0, error_message: null },
      { vanished: 0, splits: 0, pieces: 0 },
    ]);
    expect(lake.d1.rows("SELECT status FROM ended_runs ORDER BY run_id")).toEqual([
      { status: "LOST" },
      { status: "DONE" },
    ]);
  });

  test("twice at a step has it split, within a file as well, and all rows are there once", async () => {
    const lake = await lakeOf(40);
    const { outcomes, vanished } = await deliverAll(lake, 10);
    // 64 and 32 are too many, at 16 and 8 the file is read in pieces; two vanished at each size.
    expect(outcomes).toEqual(["stepped 8", "stepped 8", "stepped 8", "stepped 8", "committed 8"]);
    expect(vanished).toBe(6);
    expect(sizeOf(lake)).toEqual({ vanished: 0, splits: 0, pieces: 0 });
    const [row] = await lake.query(
      "SELECT count(*)::INT AS n, count(DISTINCT event_id)::INT AS ids FROM silver_weather",
    );
    expect(row).toEqual({ n: 40, ids: 40 });
    expect(lake.d1.rows("SELECT source_files FROM partition_meta WHERE domain = 'weather'")).toEqual([
      { source_files: 1 },
    ]);
  });

  test("at the smallest step fails it, which says its size and what to do; what others need is built", async () => {
    const lake = await lakeOf(40);
    const { outcomes, vanished } = await deliverAll(lake, 0);
    expect([outcomes, vanished]).toEqual([["failed"], 22]);
    const failed = statusOf(lake);
    expect(failed).toMatchObject({ status: "FAILED", retry_count: 0 });
    expect(failed?.error_message).toMatch(
      /^StepTooLargeError: the builders of silver_weather 2026-11-21 .* at row 0 of bronze\/weather\/.*parquet, though a step was cut down to 1 rows.*sluice backfill/,
    );
    // Somebody asks for another build, in an isolate that is large enough.
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather' RETURNING 1");
    const { outcomes: healed } = await deliverAll(lake, 64);
    expect(healed.at(-1)).toMatch(/^committed/);
    expect((await lake.query("SELECT count(*)::INT AS n FROM silver_weather"))[0]).toEqual({ n: 40 });
  });

  test("at a table that is built at once fails it, with its retries", async () => {
    const lake = await lakeOf(5);
    await lake.settle();
    const { domain } = ledger;
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = ? RETURNING 1", domain);
    const [request] = (await lake.plan()).filter((each) => each.domain === domain);
    const date = request?.date ?? "";
    const deliver = (around?: Around) => lake.build(ledger, date, undefined, request?.nonce, around);
    for (let n = 0; n < 2; n++) {
      let gone = false;
      const isolate: Around = async (work, call) => {
        if (call.startsWith("put ")) gone = true;
        if (gone) throw new GoneError("gone");
        return work();
      };
      await expect(deliver(isolate)).rejects.toThrow("gone");
    }
    expect(await deliver()).toMatchObject({
      ...{ kind: "failed", failureClass: "system" },
      message: expect.stringContaining(`BuilderVanishedError: two builders of ${ledger.name}`),
    });
    lake.now += 60_000;
    expect(await lake.settle()).toContain(`${domain} ${date} committed`);
  });
});
