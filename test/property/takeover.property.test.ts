/**
 * Builders that vanish anywhere, and messages that come again: whichever call to D1 or R2 is a builder's last, however often, with the
 * builder of the same message beside it or behind it, silver is the rows of one build that nothing happened to.
 */
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import type { BuildRequest } from "../../lakehouse/builds/planning/planner.ts";
import { rowAt } from "../../lakehouse/engine/columns/value.ts";
import { bytesSource, readParquet } from "../../lakehouse/engine/parquet/reader.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { uuidAt } from "../oracle/frames.ts";
import { type Around, Lake, tableOf } from "../oracle/lake.ts";
import { permit } from "../oracle/permit.ts";
import { weatherMessage } from "../oracle/weather.ts";

beforeAll(() => loadParquetWasm());

const NOON = Date.UTC(2026, 10, 21, 12);
const LEASE_MS = 16 * 60_000;
const weather = tableOf("weather");

/** A builder's last call, by number, and whether that is still done; undefined: it lives. */
type Death = { readonly call: number; readonly done: boolean } | undefined;

/** The same message twice at once: the first stands still after so many calls until the second is through. */
interface Both {
  readonly stands: number;
  readonly first: Death;
  readonly second: Death;
}

type Op =
  | { readonly do: "flush"; readonly ids: readonly number[] }
  /** A delivery of some message; it stays in the queue unless the builder came to its end, or `again`. */
  | { readonly do: "deliver"; readonly n: number; readonly death: Death; readonly again: boolean }
  | ({ readonly do: "both"; readonly n: number } & Both)
  | { readonly do: "lose" | "expire" | "rebuild" };

const death: fc.Arbitrary<Death> = fc.option(fc.record({ call: fc.integer({ min: 1, max: 24 }), done: fc.boolean() }), {
  nil: undefined,
});
const n = fc.nat(3);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("flush" as const),
      ids: fc.array(fc.integer({ min: 0, max: 14 }), { minLength: 1, maxLength: 7 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("deliver" as const), n, death, again: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ do: fc.constant("both" as const), n },
      ...{ stands: fc.integer({ min: 1, max: 20 }), first: death, second: death },
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("lose" as const, "expire" as const, "rebuild" as const) }) },
);

class GoneError extends Error {}

/** The calls of one builder. `standing`: what it waits for after so many calls. */
function callsOf(
  death: Death,
  standing?: { readonly after: number; readonly reached: () => void; readonly until: Promise<void> },
): Around {
  let calls = 0;
  return async (work) => {
    calls++;
    if (death !== undefined && calls > death.call) throw new GoneError("gone");
    if (death?.call === calls && !death.done) throw new GoneError("gone");
    if (standing !== undefined && calls === standing.after + 1) {
      standing.reached();
      await standing.until;
    }
    const result = await work();
    if (death?.call === calls) throw new GoneError("gone");
    return result;
  };
}

class World {
  readonly lake = new Lake(NOON);
  readonly queue: BuildRequest[] = [];
  /** Ids in the order of their registration: the first of each is the row that silver keeps. */
  readonly rows: string[] = [];
  #messages = 0;

  readonly #stepRows: number;

  constructor(stepRows: number) {
    this.#stepRows = stepRows;
    // A version's rows are those of its run: a run that was taken over must never be in a version.
    this.lake.d1.rows(
      `CREATE TRIGGER lost_run BEFORE INSERT ON versions WHEN EXISTS (SELECT 1 FROM ended_runs e WHERE e.run_id = NEW.run_id AND e.status = 'LOST')
         BEGIN SELECT RAISE(ABORT, 'a run that was lost published'); END`,
    );
    this.lake.d1.rows(
      `CREATE TRIGGER lost_step BEFORE UPDATE ON silver_progress WHEN EXISTS (SELECT 1 FROM ended_runs e WHERE e.run_id = NEW.run_id AND e.status = 'LOST')
         BEGIN SELECT RAISE(ABORT, 'a run that was lost took a step'); END`,
    );
  }

  async flush(ids: readonly number[]): Promise<void> {
    const number = ++this.#messages;
    const events = ids.map((id, at) => ({ eventId: `e${id}`, at: (NOON - number * 60_000 - at * 1_000) * 1_000 }));
    this.rows.push(...events.map(({ eventId, at }) => `${eventId} ${at}`));
    const messageId = uuidAt(this.lake.now, number);
    await this.lake.land("weather", [weatherMessage({ messageId, received: this.lake.now * 1_000, events })]);
  }

  async plan(): Promise<void> {
    this.queue.push(...(await this.lake.plan()).filter(({ domain }) => domain === "weather"));
  }

  /** Whether a builder came to its end: its message is acknowledged. */
  async build({ date, nonce }: BuildRequest, around: Around): Promise<boolean> {
    try {
      await this.lake.build(weather, date, this.#stepRows, nonce, around);
      return true;
    } catch (error) {
      if (!(error instanceof GoneError)) throw error;
      return false;
    }
  }

  async play(one: Op): Promise<void> {
    switch (one.do) {
      case "flush":
        return this.flush(one.ids);
      case "lose":
        this.queue.shift();
        return;
      case "expire":
        this.lake.now += LEASE_MS + 1;
        return;
      case "rebuild":
        this.lake.d1.rows(
          "UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather' AND status = 'DONE' RETURNING 1",
        );
        return;
      case "deliver":
      case "both": {
        await this.plan();
        const at = one.n % Math.max(1, this.queue.length);
        const message = this.queue[at];
        if (message === undefined) return;
        const ended = one.do === "both" ? await this.both(message, one) : await this.build(message, callsOf(one.death));
        if (ended && !(one.do === "deliver" && one.again)) this.queue.splice(at, 1);
      }
    }
  }

  async both(message: BuildRequest, { stands, first, second }: Both): Promise<boolean> {
    const reached = Promise.withResolvers<void>();
    const until = Promise.withResolvers<void>();
    const standing = { after: stands, reached: reached.resolve, until: until.promise };
    const earlier = this.build(message, callsOf(first, standing));
    await Promise.race([reached.promise, earlier]);
    const later = await this.build(message, callsOf(second));
    until.resolve();
    return (await earlier) || later;
  }

  /** No more faults: every message is delivered, until nothing is left to do. */
  async settle(): Promise<void> {
    for (let idle = 0, ticks = 0; idle < 3; ticks++) {
      if (ticks > 300) throw new Error("the partition never settles");
      await this.plan();
      for (const message of this.queue.splice(0)) await this.build(message, (work) => work());
      const [meta] = this.lake.d1.rows<{ status: string; unbuilt: number }>(
        `SELECT m.status, i.version <> i.built_version AS unbuilt FROM partition_meta m JOIN partition_inputs i USING (domain, partition_date)
         WHERE domain = 'weather'`,
      );
      // Somebody sees to it: so many may have vanished at one step that it was given up.
      if (meta?.status === "FAILED" || meta?.status === "DEAD")
        this.lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather' RETURNING 1");
      idle = meta === undefined || (meta.status === "DONE" && meta.unbuilt === 0) ? idle + 1 : 0;
      // A message that was lost is sent again after a minute, a lease without one is free after sixteen.
      this.lake.now += 61_000;
    }
  }

  async silver(): Promise<string[]> {
    const files = this.lake.d1.rows<{ file: string }>(
      "SELECT file FROM data_files WHERE table_name = 'silver_weather' AND kind = 'data' AND added IS NOT NULL AND removed IS NULL",
    );
    const rows: string[] = [];
    for (const { file } of files) {
      for await (const batch of readParquet(permit, bytesSource(file, this.lake.bucket.bytesOf(file)))) {
        for (let row = 0; row < batch.length; row++) {
          const { event_id: id, event_timestamp: at } = rowAt(batch, row);
          rows.push(`${id} ${at}`);
        }
      }
    }
    return rows.sort();
  }
}

function firstOfEach(rows: readonly string[]): string[] {
  const first = new Map<string, string>();
  for (const row of rows) {
    const id = row.split(" ")[0] ?? "";
    if (!first.has(id)) first.set(id, row);
  }
  return [...first.values()].sort();
}

test(
  "silver is the same rows, whichever call was a builder's last, and whoever took its lease over",
  async () => {
    let takeovers = 0;
    let splits = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(op, { minLength: 4, maxLength: 24, size: "max" }),
        fc.integer({ min: 1, max: 8 }),
        async (ops, stepRows) => {
          const world = new World(stepRows);
          await world.flush([1, 2, 3, 4, 5, 6, 1, 2]);
          for (const one of ops) {
            await world.play(one);
            world.lake.now += 1_000;
            const [lease] = world.lake.d1.rows<{ splits: number }>(
              "SELECT splits FROM partition_leases WHERE domain = 'weather'",
            );
            splits = Math.max(splits, lease?.splits ?? 0);
          }
          takeovers += world.lake.d1.rows("SELECT 1 FROM ended_runs WHERE status = 'LOST'").length;
          await world.settle();
          expect(await world.silver()).toEqual(firstOfEach(world.rows));
          expect(world.lake.d1.rows("SELECT file FROM data_files WHERE added IS NULL")).toEqual([]);
          expect(
            world.lake.d1.rows(
              "SELECT vanished, splits, pieces, run_id FROM partition_leases WHERE domain = 'weather'",
            ),
          ).toEqual([{ vanished: 0, splits: 0, pieces: 0, run_id: null }]);
          const silver = world.lake.d1.rows<{ n: number }>(
            "SELECT sum(events) AS n FROM ledger_outcomes WHERE topic = 'weather' AND term = 'silver'",
          )[0]?.n;
          expect(silver).toBe(firstOfEach(world.rows).length);
        },
      ),
      { numRuns: longOrShare(120, 15) },
    );
    // Without any the rest would prove nothing.
    expect(takeovers).toBeGreaterThan(20);
    expect(splits).toBeGreaterThan(0);
  },
  longOrShare(900_000, 120_000),
);
