/** Promise P2, through the file: JSON text -> admission -> message -> frames -> Parquet -> rows -> event. */

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { contracts, currentSchema } from "../../contracts/registry.ts";
import { createAdmitter } from "../../gateway/admit/admitter.ts";
import { compilePlan } from "../../gateway/admit/plan.ts";
import { rebuildEvents } from "../../lakehouse/bronze/rebuild.ts";
import { writeBronze } from "../../lakehouse/bronze/write.ts";
import { bytesSource, readParquet } from "../../lakehouse/engine/parquet/reader.ts";
import { codecById } from "../../schemas/codecs.ts";
import { createEventBuffer } from "../../schemas/event-buffer.ts";
import { parseExactJson } from "../../schemas/exact-json.ts";
import { decodeMessage, encodeFrame, encodeMessage } from "../../schemas/packed-block.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { arbitraryEvent, canonicalJson } from "../oracle/arbitrary-event.ts";
import { localMasker, storedForm } from "../oracle/local-masker.ts";
import { MemoryBucket } from "../oracle/memory-bucket.ts";
import { permit } from "../oracle/permit.ts";

const RECEIVED = 1_795_262_400_000_000;

beforeAll(() => loadParquetWasm());

describe.each(contracts.filter((contract) => !contract.platformOnly))("$topic", (contract) => {
  const codec = codecById(currentSchema(contract).id);
  if (codec === undefined) throw new Error(`${contract.topic} has no codec`);
  const admitter = createAdmitter(contract, codec);

  const plan = compilePlan(contract, codec.schema);

  test("events come back from their bronze rows as they were sent", async () => {
    const events = fc.array(arbitraryEvent(plan, RECEIVED, contract), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(events, async (texts) => {
        const output = createEventBuffer(16);
        texts.forEach((text, index) => {
          const admission = admitter.admit(parseExactJson(text), index, {
            received: RECEIVED,
            suspectSurrogates: true,
            output,
            masker: localMasker(),
          });
          if (!admission.accepted) throw new Error(`${text}: ${JSON.stringify(admission.errors)}`);
        });
        const message = encodeMessage(
          {
            message_id: "019307a0-0000-7000-8000-000000000001",
            topic: contract.topic,
            schema_id: codec.id,
            contract_version: contract.version,
            producer: "test",
            request_id: "request",
            received: RECEIVED,
            gateway: "test",
            sequence: 1,
            count: texts.length,
            slices: [{ shard: 0, of: 1, offset: 0, length: output.at, count: texts.length, tally: {} }],
          },
          [output.slice(0, output.at)],
        );
        const bucket = new MemoryBucket();
        const flush = { topic: contract.topic, shard: 0, shardOf: 1, incarnation: "a", seq: 1 };
        const blocks = { count: 1, read: () => encodeFrame(decodeMessage(message), 0) };
        const files = await writeBronze({ bucket, permit }, contract, flush, blocks);

        const rebuilt: { readonly index: number; readonly event: string }[] = [];
        for (const { file } of files) {
          for await (const batch of readParquet(permit, bytesSource(file, bucket.bytesOf(file)))) {
            const index = batch.columns[batch.fields.findIndex((field) => field.name === "_event")];
            if (index?.kind !== "int32") throw new Error("no _event column");
            rebuildEvents(contract, batch).forEach((event, row) => {
              rebuilt.push({ index: index.values[row] ?? -1, event: canonicalJson(event) });
            });
          }
        }
        rebuilt.sort((a, b) => a.index - b.index);
        expect(rebuilt.map(({ event }) => event)).toEqual(
          texts.map((text) => canonicalJson(storedForm(parseExactJson(text), plan))),
        );
      }),
      { numRuns: longOrShare(50, 15) },
    );
  });
});
