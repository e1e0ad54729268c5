/** What a build of silver goes on from: the last one, or nothing. */
import { beforeAll, describe, expect, test } from "vitest";
import type { LibraryCheck } from "../../../../../contracts/contract.ts";
import type { Field } from "../../../../../lakehouse/engine/columns/column.ts";
import { RECORD_HASH_FIELD } from "../../../../../lakehouse/tables/silver-columns.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { uuidAt } from "../../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../../oracle/lake.ts";
import { weatherMessage } from "../../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";

beforeAll(() => loadParquetWasm());

const weather = (() => {
  const table = tableOf("weather");
  if (table.kind !== "topic") throw new Error("weather is a topic");
  return table;
})();

let messages = 0;

/** Lands readings and gives the builds that it takes until the partition is done: `<outcome> <rows read>`. */
async function landed(lake: Lake, ids: readonly string[], table = weather): Promise<string[]> {
  const events = ids.map((eventId) => ({ eventId, at: (NOON - 60_000) * 1_000 }));
  const messageId = uuidAt(NOON, ++messages);
  await lake.land("weather", [weatherMessage({ messageId, received: NOON * 1_000, events })]);
  const built: string[] = [];
  for (let tick = 0; tick < 10; tick++) {
    for (const { domain } of await lake.plan()) {
      if (domain !== "weather") continue;
      const outcome = await lake.build(table, DAY);
      built.push("rowsIn" in outcome ? `${outcome.kind} ${outcome.rowsIn}` : outcome.kind);
    }
    lake.now += 700_000;
  }
  return built;
}

const idsIn = async (lake: Lake) =>
  (await lake.query("SELECT event_id FROM silver_weather ORDER BY event_id")).map((row) => row["event_id"]);

describe("a build of silver", () => {
  test("reads what is new only, however much there is", async () => {
    const lake = new Lake(NOON);
    expect(await landed(lake, ["a", "b", "a"])).toEqual(["committed 3"]);
    expect(await landed(lake, ["b", "c"])).toEqual(["committed 2"]);
    expect(await idsIn(lake)).toEqual(["a", "b", "c"]);
  });

  test("whose known keys are lost begins anew, and the rows are the same", async () => {
    const lake = new Lake(NOON);
    await landed(lake, ["a", "b"]);
    const [keys = ""] = [...lake.bucket.objects.keys()].filter((key) => key.endsWith(".keys"));
    lake.bucket.objects.delete(keys);
    expect(await landed(lake, ["b", "c"])).toEqual(["committed 4"]);
    expect(await idsIn(lake)).toEqual(["a", "b", "c"]);
    // And goes on from there.
    expect(await landed(lake, ["a", "d"])).toEqual(["committed 2"]);
  });

  test("writes the keys of two checks of one set of columns once, and names every object of keys that it wrote", async () => {
    const lake = new Lake(NOON);
    const same = (name: string, value: number): LibraryCheck => ({
      ...{ name, layer: "silver", metric: "duplicateValues", columns: ["station_id"], unit: "percent" },
      ...{ bound: { op: "mustBeLessOrEqualTo", value }, onFail: "warn", values: [] },
    });
    const table = { ...weather, checks: [...weather.checks, same("some", 90), same("most", 99)] };
    expect(await landed(lake, ["a", "b"], table)).toEqual(["committed 2"]);
    const written = [...lake.bucket.objects.keys()].filter((key) => key.endsWith(".keys"));
    expect(written).toHaveLength(2);
    const [{ progress = "" } = {}] = lake.d1.rows<{ progress: string }>(
      "SELECT progress FROM silver_progress WHERE topic = 'weather'",
    );
    for (const key of written) expect(progress).toContain(key);
  });

  test("whose key, checks or column types are others begins anew; a new optional column does not make it so", async () => {
    const lake = new Lake(NOON);
    await landed(lake, ["a", "b"]);
    const note: Field = { name: "note", type: { kind: "utf8" }, nullable: true };
    const wider = { ...weather, fields: [note, ...weather.fields], eventColumns: ["note", ...weather.eventColumns] };
    const hashes = "SELECT record_hash FROM silver_weather WHERE event_id = 'a'";
    const [before] = await lake.query(hashes);
    expect(await landed(lake, ["c"], wider)).toEqual(["committed 1"]);
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather' RETURNING 1");
    expect(await landed(lake, ["d"], wider)).toEqual(["committed 1"]);
    expect((await lake.query(hashes))[0]).toEqual(before);

    const stricter = { ...weather, checks: weather.checks.slice(1) };
    expect(await landed(lake, ["e"], stricter)).toEqual(["committed 5"]);
    const typed = {
      ...stricter,
      fields: weather.fields.map(
        (field): Field => (field.name === "humidity_pct" ? { ...field, type: { kind: "utf8" } } : field),
      ),
    };
    expect((await landed(lake, ["f"], typed))[0]).not.toBe("committed 1");
    expect(weather.fields).toContain(RECORD_HASH_FIELD);
  });

  test("whose progress somebody edited says which row that is and what to do", async () => {
    const lake = new Lake(NOON);
    await landed(lake, ["a"]);
    lake.d1.rows("UPDATE silver_progress SET progress = '{}' RETURNING 1");
    expect(await landed(lake, ["b"])).toContain("failed");
    const [meta] = lake.d1.rows<{ error_message: string }>(
      "SELECT error_message FROM partition_meta WHERE domain = 'weather'",
    );
    expect(meta?.error_message).toMatch(/silver_progress of weather 2026-11-21 .* delete the row/s);
    lake.d1.rows("DELETE FROM silver_progress RETURNING 1");
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather' RETURNING 1");
    expect(await landed(lake, ["c"])).toEqual(["committed 3"]);
    expect(await idsIn(lake)).toEqual(["a", "b", "c"]);
  });
});
