/** Which events of a body are tried to be taken from their bytes, and what is left of a piece that turns out to be no JSON. */
import { expect, test } from "vitest";
import { admitterOf } from "../../../gateway/admit/topics.ts";
import { MalformedBody } from "../../../gateway/bodies/event-batch.ts";
import { jsonPieces } from "../../../gateway/bodies/json.ts";
import { createPartReader, type ReadBatch } from "../../../gateway/part-reader.ts";
import { createEventBuffer } from "../../../schemas/event-buffer.ts";
import { utf8 } from "../../oracle/event-batches.ts";

const RECEIVED = 1_795_262_400_000_000;

const click = (id: number, more = "") =>
  `{"event_id":"e${id}","session_id":"s","event_timestamp":"2026-11-21T12:00:00.000Z","event_type":"search","page":"/","device":"ios"${more}}`;
const unknown = (id: number) => click(id, ',"campaign":1');

/** Reads a body; which of its events were tried, by index. */
function read(body: string, pieceBytes: number) {
  const output = createEventBuffer(16);
  const take = admitterOf("clickstream")?.taker(null, { received: RECEIVED, output }) ?? null;
  if (take === null) throw new Error("clickstream is not taken from its bytes");
  const tried: number[] = [];
  const readPart = createPartReader((json, at, index) => {
    tried.push(index);
    return take(json, at, index);
  }, output);
  const batches: ReadBatch[] = [];
  let events = 0;
  try {
    for (const part of jsonPieces(utf8(body), { pieceBytes, groupBytes: 1_000 })) {
      const batch = readPart(part, events);
      if (batch !== undefined) batches.push(batch);
      events += batch?.events.length ?? 0;
    }
  } catch (error) {
    if (!(error instanceof MalformedBody)) throw error;
  }
  const admitted = batches.flatMap(({ events, admissions }) =>
    events.map((_event, at) => admissions?.[at] !== undefined),
  );
  return { tried, admitted, written: output.at };
}

const numbers = Array.from({ length: 100 }, (_none, index) => index);

test("a body of events that are not taken is tried a few times, and read as values from there on", () => {
  const { tried, admitted } = read(`[${numbers.map(unknown).join(",")}]`, 1_000);
  expect(admitted).toEqual(numbers.map(() => false));
  expect(tried.length).toBeLessThan(20);
});

test("a body of which most events are taken is tried to its end", () => {
  const mixed = numbers.map((id) => (id % 3 === 0 ? unknown(id) : click(id)));
  const { tried, admitted } = read(`[${mixed.join(",")}]`, 1_000);
  expect(tried).toEqual(numbers);
  expect(admitted).toEqual(numbers.map((id) => id % 3 !== 0));
});

test("nothing is left in the output of a piece that is no JSON, however late that shows", () => {
  const elements = [...numbers.slice(0, 5).map((id) => click(id)), '{"event_id":'];
  expect(read(`[${elements.join(",")}]`, 32_000)).toEqual({ tried: [0, 1, 2, 3, 4, 5], admitted: [], written: 0 });
});
