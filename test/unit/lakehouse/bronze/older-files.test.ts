import { beforeAll, expect, test } from "vitest";
import type { Batch } from "../../../../lakehouse/engine/columns/column.ts";
import { bytesSource, openParquet } from "../../../../lakehouse/engine/parquet/reader.ts";
import { writeParquet } from "../../../../lakehouse/engine/parquet/writer.ts";
import { decodeMessage, encodeMessage } from "../../../../schemas/packed-block.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { makeMessage, uuidAt } from "../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../oracle/lake.ts";
import { permit } from "../../../oracle/permit.ts";
import { reading } from "../../../oracle/weather.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");

beforeAll(() => loadParquetWasm());

/** Writes every bronze file anew as it was before there were replays. */
async function withoutReplays(lake: Lake): Promise<void> {
  for (const [key, { bytes }] of [...lake.bucket.objects]) {
    const file = await openParquet(bytesSource(key, bytes));
    const columns = file.columns.filter((name) => name !== "_replay_of");
    const batches: Batch[] = [];
    for await (const batch of file.read(permit, { columns })) batches.push(batch);
    await lake.bucket.put(key, await writeParquet(permit, { fields: batches[0]?.fields ?? [], batches }));
  }
}

test("bronze from before there were replays is built beside that of a replay, and read by one view", async () => {
  const lake = new Lake(NOW + 3_600_000);
  const message = (n: number) =>
    makeMessage({
      topic: "weather",
      messageId: uuidAt(NOW, n),
      received: NOW * 1_000,
      events: [{ event: reading(`e${n}`, NOW * 1_000), extra: null, lexical: null }],
    });
  await lake.land("weather", [message(1)]);
  await withoutReplays(lake);
  const { header, body } = decodeMessage(message(2));
  await lake.land("weather", [encodeMessage({ ...header, replay_of: ["first-dead-letter"] }, [body])]);
  await lake.plan();
  expect((await lake.build(tableOf("weather"), "2026-11-21")).kind).toBe("committed");
  expect(await lake.query("SELECT event_id, _replay_of FROM silver_weather ORDER BY event_id")).toEqual([
    { event_id: "e1", _replay_of: null },
    { event_id: "e2", _replay_of: "first-dead-letter" },
  ]);
  expect(lake.d1.rows("SELECT term, events, replayed FROM ledger_outcomes")).toEqual([
    { term: "silver", events: 2, replayed: 1 },
  ]);
});
