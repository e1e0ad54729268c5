import { describe, expect, test } from "vitest";
import { type DeliveryReport, deliver } from "../../../tools/cli/send/deliver.ts";
import { readDocument, readLines, type SourceEvent } from "../../../tools/cli/send/read-events.ts";
import { createFakeGateway, type FakeAnswer } from "../producers/client/fake-gateway.ts";

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(events: AsyncIterable<SourceEvent>): Promise<SourceEvent[]> {
  const all: SourceEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe("lines", () => {
  const bytes = Buffer.concat([
    Buffer.from('{"a":"ö"}\r\n\n  \n{"n": 1.10}\n'),
    Buffer.from([0xff, 0x0a]),
    Buffer.from("last"),
  ]);

  test.each([1, 2, 7, 1_000])("are the same in chunks of %i bytes, untouched, with their numbers", async (size) => {
    expect(await collect(readLines(inChunks(bytes, size)))).toEqual([
      { position: 1, text: '{"a":"ö"}', endsAt: 12 },
      { position: 4, text: '{"n": 1.10}', endsAt: 28 },
      { position: 5, text: null, endsAt: 30 },
      { position: 6, text: "last", endsAt: 34 },
    ]);
  });

  test("without end are refused", async () => {
    const endless = inChunks(new Uint8Array(12_000_000).fill(0x61), 1_000_000);
    await expect(collect(readLines(endless))).rejects.toThrow("Line 1 has over 10 MB");
  });
});

describe("a document", () => {
  const texts = async (text: string) =>
    (await collect(readDocument(inChunks(Buffer.from(text), 5)))).map((event) => event.text);

  test("gives its elements as they are written, each in one line", async () => {
    expect(await texts('\ufeff [\n {"a": 1.10,\n  "b": "]\\n,"},\r\n {"c": [1, 2]}\n]\n')).toEqual([
      '{"a": 1.10,   "b": "]\\n,"}',
      '{"c": [1, 2]}',
    ]);
    expect(await texts('{"a":\n1}')).toEqual(['{"a": 1}']);
    expect(await texts("[ ]")).toEqual([]);
  });

  test("that is none is refused", async () => {
    await expect(texts('{"a":1}\n{"a":2}')).rejects.toThrow("--format ndjson");
  });
});

describe("delivery", () => {
  async function run(lines: string, answer: (index: number) => FakeAnswer): Promise<DeliveryReport> {
    const gateway = createFakeGateway((_, index) => answer(index), 0);
    return await deliver({
      url: "http://gateway.test",
      key: "k",
      topic: "orders",
      events: readLines(inChunks(Buffer.from(lines), 64)),
      batch: 10,
      onProgress: () => {},
      onTrouble: () => {},
      fetch: gateway.fetch,
    });
  }
  const lines = Array.from({ length: 95 }, (_, n) => `{"event_id":"e-${n}"}\n`).join("");

  test("counts, and lists the first rejections by line", async () => {
    const report = await run(lines, () => ({
      verdict: ({ event_id }) => (event_id?.endsWith("1") ? "rejected" : "accepted"),
    }));
    expect(report).toMatchObject({ accepted: 85, rejected: 10, undelivered: 0, failure: null });
    expect(report.rejections.map(({ position }) => position)).toEqual([2, 12, 22, 32, 42, 52, 62, 72, 82, 92]);
    expect(report.rejections[0]).toEqual({ position: 2, eventId: "e-1", reasons: ["MISSING_FIELD /x x is missing"] });
    const all = await run(lines, () => ({ verdict: () => "rejected" }));
    expect([all.rejected, all.rejections.map(({ position }) => position)]).toEqual([
      95,
      Array.from({ length: 20 }, (_, n) => n + 1),
    ]);
  });

  test("stops at a refusal of the request, and says why", async () => {
    const report = await run(lines.repeat(50), () => ({ status: 401, code: "UNAUTHENTICATED" }));
    expect(report.failure).toMatchObject({ httpStatus: 401, code: "UNAUTHENTICATED" });
    expect(report.accepted + report.rejected).toBe(0);
    expect(report.undelivered).toBeGreaterThan(0);
  });
});
