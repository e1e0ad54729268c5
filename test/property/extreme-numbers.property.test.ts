/**
 * Numbers that an exponent takes out of a double's range: admission meets them as zero, next to nothing or infinite, and has the event
 * read again. Every verdict, byte and id is the same as if all numbers had been kept from the beginning.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { admitterOf } from "../../gateway/admit/topics.ts";
import type { EventBatch } from "../../gateway/bodies/event-batch.ts";
import { jsonBatches } from "../../gateway/bodies/json.ts";
import { ndjsonBatches } from "../../gateway/bodies/ndjson.ts";
import { judge } from "../../gateway/ingest.ts";
import { parseExactJson } from "../../schemas/exact-json.ts";
import { inChunks, utf8 } from "../oracle/event-batches.ts";

const RECEIVED = Date.parse("2026-11-30T12:00:00Z") * 1_000;

const NUMBERS = [
  "0",
  "-0",
  "0.0",
  "0e999",
  "1",
  "0.5",
  "1e-400",
  "-1E-400",
  "5e-324",
  "1e-310",
  "1e400",
  "-1e+400",
  "1e305",
];
const number = fc.constantFrom(...NUMBERS);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** Members as JSON texts; undefined ones are left out. */
function objectOf(members: Readonly<Record<string, string | undefined>>): string {
  const present = Object.entries(members).filter(([, json]) => json !== undefined);
  return `{${present.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}

const click = fc
  .record({
    id: maybe(fc.oneof(number, fc.constantFrom('"a"', '"b"', '"c"'))),
    duration: maybe(number),
    depth: maybe(number),
    version: maybe(fc.constantFrom("1", "0", "1e-400", "1e400")),
    unknown: maybe(
      fc.oneof(
        number,
        number.map((each) => `[{"deep":${each}}]`),
      ),
    ),
  })
  .map(({ id, duration, depth, version, unknown }) =>
    objectOf({
      event_id: id,
      session_id: '"s"',
      event_timestamp: '"2026-11-30T11:00:00.000Z"',
      event_type: '"search"',
      page: '"/"',
      device: '"ios"',
      duration_ms: duration,
      scroll_depth: depth,
      schema_version: version,
      unknown,
    }),
  );

const order = fc.record({ amount: number, quantity: number, price: number, fee: maybe(number) }).map((numbers) =>
  objectOf({
    event_id: '"o"',
    order_id: '"ord_000001"',
    customer_id: '"c"',
    event_timestamp: '"2026-11-30T11:00:00.000Z"',
    status: '"placed"',
    currency: '"EUR"',
    amount: numbers.amount,
    channel: '"web"',
    items: `[{"sku":"s","name":"n","quantity":${numbers.quantity},"unit_price":${numbers.price}}]`,
    delivery_fee: numbers.fee,
  }),
);

/** Batches whose numbers were kept from the beginning. */
function* exactBatches(events: readonly string[]): Generator<EventBatch> {
  yield {
    events: events.map(parseExactJson),
    faults: new Map(),
    suspectSurrogates: false,
    schemaVersion: null,
    reread: () => false,
    payloadOf: (index) => ({ offset: 0, bytes: utf8(events[index] ?? ""), text: true }),
  };
}

async function verdicts(topic: string, batches: AsyncIterable<EventBatch> | Iterable<EventBatch>) {
  const admitter = admitterOf(topic);
  if (admitter === undefined) throw new Error(`there is no topic ${topic}`);
  const request = { requestId: "r", producer: "p", received: RECEIVED, schemaVersion: null, masker: null };
  const judged = await judge({ ...request, admitter, batches, maxEvents: 1_000, sizeHint: 64 });
  return {
    eventIds: judged.eventIds,
    duplicates: judged.duplicates,
    refusals: judged.refusals.map(({ payload, ...refusal }) => ({
      ...refusal,
      payload: Buffer.from(payload.bytes).toString(),
    })),
    accepted: judged.accepted.map(({ index, shard, schemaId, start, end }) => ({
      index,
      shard,
      schemaId,
      bytes: Buffer.from(judged.buffer.slice(start, end)).toString("hex"),
    })),
  };
}

for (const [topic, event] of [
  ["clickstream", click],
  ["orders", order],
] as const) {
  test(topic, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(1, 300, 32_000),
        async (events, pieceBytes) => {
          const expected = await verdicts(topic, exactBatches(events));
          const array = utf8(`[${events.join(",")}]`);
          expect(await verdicts(topic, jsonBatches(array, { pieceBytes, groupBytes: 500 }))).toEqual(expected);
          const lines = inChunks(utf8(events.join("\n")), [pieceBytes]);
          expect(await verdicts(topic, ndjsonBatches(lines))).toEqual(expected);
        },
      ),
    );
  });
}
