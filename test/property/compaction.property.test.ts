/** A lake that is compacted now and then, beside one that never is: builds cannot tell them apart. */
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { compactAll, sweep } from "../oracle/compaction.ts";
import { uuidAt } from "../oracle/frames.ts";
import { Lake } from "../oracle/lake.ts";
import { weatherMessage } from "../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const HOUR = 3_600_000;

const step = fc.oneof(
  {
    weight: 6,
    // The events of a flush: few ids and dates, so that there are copies, shared files and files of one date.
    arbitrary: fc.record({
      do: fc.constant("flush" as const),
      events: fc.array(fc.record({ id: fc.nat(5), daysAgo: fc.nat(2) }), { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("hour" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("compact" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("sweep" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("build" as const) }) },
);

beforeAll(() => loadParquetWasm());

test("the same rows, input versions, digests and revisions, whatever was compacted and deleted in between", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 24 }), async (steps) => {
      const [plain, compacted] = [new Lake(NOON), new Lake(NOON)];
      let messages = 0;
      for (const each of [...steps, { do: "hour" as const }, { do: "compact" as const }, { do: "sweep" as const }]) {
        messages++;
        for (const lake of [plain, compacted]) {
          if (each.do === "flush") {
            const events = each.events.map(({ id, daysAgo }) => ({
              eventId: `e${id}`,
              at: (NOON - daysAgo * 24 * HOUR) * 1_000,
            }));
            const messageId = uuidAt(lake.now, messages);
            await lake.land("weather", [weatherMessage({ messageId, received: lake.now * 1_000, events })]);
          }
          if (each.do === "hour") lake.now += HOUR + 400_000;
          if (each.do === "sweep") lake.now += 25 * HOUR;
          // The planner's clock runs while it builds: both wait for the slower.
          if (each.do === "build") await lake.settle();
        }
        if (each.do === "compact") for (const { kind } of await compactAll(compacted)) expect(kind).toBe("done");
        if (each.do === "sweep") await sweep(compacted);
        plain.now = compacted.now = Math.max(plain.now, compacted.now);
        expect(standing(compacted)).toEqual(standing(plain));
      }
      // Everything once more, from the files that are left.
      for (const lake of [plain, compacted]) {
        lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'");
        await lake.settle();
      }
      expect(standing(compacted)).toEqual(standing(plain));
      if (messages > 0 && standing(plain).partitions.length > 0)
        expect(await silver(compacted)).toEqual(await silver(plain));
    }),
    { numRuns: longOrShare(12, 2) },
  );
});

function standing(lake: Lake) {
  return {
    inputs: lake.d1.rows("SELECT * FROM partition_inputs ORDER BY domain, partition_date"),
    partitions: lake.d1.rows(
      "SELECT domain, partition_date, status, file_hash, record_count, source_files, silver_records FROM partition_meta ORDER BY 1, 2",
    ),
    revisions: lake.d1.rows("SELECT domain, partition_date, revisions FROM partition_leases ORDER BY 1, 2"),
  };
}

function silver(lake: Lake) {
  return lake.query("SELECT * FROM silver_weather ORDER BY event_date, _received, _message, _event");
}
