/** What a gateway sent, as bronze in its own bucket and catalog: what buffers make of it. */

import { contractOf } from "../../../contracts/registry.ts";
import { writeBronze } from "../../../lakehouse/bronze/write.ts";
import { loadParquetWasm } from "../../../tools/build/parquet-wasm-node.ts";
import { blocksOf, framesOf } from "../../oracle/frames.ts";
import { permit } from "../../oracle/permit.ts";
import { registerFiles } from "../../oracle/register.ts";
import type { Harness } from "./harness.ts";

let flushes = 0;

/** Lands the messages sent since the last time, a file for each topic. */
export async function land(harness: Harness): Promise<void> {
  loadParquetWasm();
  for (const [topic, messages] of Map.groupBy(harness.sent.splice(0), (message) => message.topic)) {
    const contract = contractOf(topic);
    if (contract === undefined) throw new Error(`no contract for ${topic}`);
    const flush = { topic, shard: 0, shardOf: 1, incarnation: "0a0b0c0d", seq: ++flushes };
    const frames = messages.flatMap(({ body }) => framesOf(body));
    const files = await writeBronze({ bucket: harness.bucket, permit }, contract, flush, blocksOf(frames));
    await harness.db.d1.batch(registerFiles(harness.db.d1, files, new Date(harness.clock.now()).toISOString()));
  }
}
