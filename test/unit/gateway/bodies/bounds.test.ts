import { describe, expect, it } from "vitest";
import { answer, createHarness, deadLetters, errorTypes, order } from "../harness.ts";

const ORDERS = "/v1/topics/orders/events";
const NDJSON = { "content-type": "application/x-ndjson" };

describe("an answer", () => {
  it("names events whose key an earlier one of the request has, and their verdict stays", async () => {
    const harness = createHarness();
    const events = [
      order("a"),
      order("b"),
      order("a"),
      order("c", { channel: "fax" }),
      order("a"),
      order("c"),
      7,
      { x: 1 },
      {},
    ];
    const response = await harness.post(ORDERS, events);
    expect(response.status).toBe(207);
    expect(JSON.parse(await response.text())).toMatchObject({
      accepted: 5,
      duplicates: [
        { index: 2, of: 0 },
        { index: 4, of: 0 },
        { index: 5, of: 3 },
      ],
      duplicates_total: 3,
    });
    const clean = await harness.post(ORDERS, [order("a"), order("b")]);
    expect(Object.keys(JSON.parse(await clean.text()))).not.toContain("duplicates");
    const many = await harness.post(
      ORDERS,
      Array.from({ length: 300 }, () => order("same")),
    );
    const { duplicates, duplicates_total } = JSON.parse(await many.text());
    expect([many.status, duplicates.length, duplicates_total]).toEqual([202, 100, 299]);
  });

  it("to a request of errors only stays bounded: every event has its verdict and its first error, counts are exact", async () => {
    const harness = createHarness();
    const items = Array.from({ length: 200 }, () => ({}));
    const lines = Array.from({ length: 2_000 }, (_, index) => JSON.stringify(order(`e${index}`, { items })));
    const response = await harness.post(ORDERS, lines.join("\n"), NDJSON);
    expect(response.status).toBe(422);
    const text = await response.text();
    const body = JSON.parse(text);
    expect(body).toMatchObject({ rejected: 2_000, errors_truncated: true });
    expect(body.results).toHaveLength(2_000);
    expect(body.results[0].errors).toHaveLength(50);
    expect(body.results[1_999].errors).toHaveLength(1);
    expect(body.results[1_999].errors[0].detail).toMatch(/49 more not listed: the request has too many errors/);
    expect(text.length).toBeLessThan(8_000_000);
    expect(deadLetters(harness)).toHaveLength(2_000);
  });
});

describe("hostile sizes", () => {
  it("an event with very many unknown fields, and one with very many wrong ones", async () => {
    const harness = createHarness();
    const keys = Array.from({ length: 60_000 }, (_, index) => `"k${index}":1`).join(",");
    const wide = JSON.stringify(order("wide")).replace(/}$/, `,${keys}}`);
    const items = `[${Array.from({ length: 40_000 }, () => '{"sku":1}').join(",")}]`;
    const long = JSON.stringify(order("long", { items: "@" })).replace('"@"', items);
    const verdict = await answer(
      await harness.post(ORDERS, [wide, long, JSON.stringify(order("good"))].join("\n"), NDJSON),
    );
    expect(verdict.accepted).toBe(1);
    expect(errorTypes(verdict)).toEqual({ 0: "EVENT_TOO_LARGE", 1: "TYPE_MISMATCH" });
    expect(verdict.results[1]?.errors).toHaveLength(50);
  });

  it("20 MB of lines in one request, 10 MB as an array: all accepted, in order inside a shard", async () => {
    const events = Array.from({ length: 40_000 }, (_, index) =>
      JSON.stringify(order(`event-${index}`, { note: "n".repeat(175) })),
    );
    for (const [count, body, headers] of [
      [40_000, events.join("\n"), NDJSON],
      [20_000, `[${events.slice(0, 20_000).join(",")}]`, {}],
    ] as const) {
      const harness = createHarness();
      expect(body.length).toBeGreaterThan(count * 475);
      expect(body.length).toBeLessThan(count * 500);
      const response = await harness.post(ORDERS, body, headers);
      expect(response.status).toBe(202);
      expect(await answer(response)).toMatchObject({ accepted: count, rejected: 0 });
      const indexes = harness.sent.flatMap(({ envelopes }) =>
        envelopes.filter(({ shard }) => shard === 0).map(({ index }) => index),
      );
      expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
    }
  });

  it("one line of megabytes in small pieces, lines without end, events without number", async () => {
    const harness = createHarness({ limits: { eventsPerRequest: 1_000 } });
    const line = JSON.stringify(order("a", { note: "x".repeat(5_000_000) }));
    const stream = new ReadableStream({
      start(controller) {
        const bytes = new TextEncoder().encode(line);
        for (let at = 0; at < bytes.length; at += 1_000) controller.enqueue(bytes.subarray(at, at + 1_000));
        controller.close();
      },
    });
    const response = await harness.request(
      ORDERS,
      // Node demands the word for a stream; the Worker's types do not know it.
      Object.assign({ method: "POST", body: stream, headers: NDJSON }, { duplex: "half" }),
    );
    expect(errorTypes(await answer(response))).toEqual({ 0: "EVENT_TOO_LARGE" });
    const many = await harness.post(ORDERS, "1\n".repeat(5_000_000), NDJSON);
    expect([many.status, (await answer(many)).code]).toEqual([413, "TOO_MANY_EVENTS"]);
    expect((await harness.post(ORDERS, `[${"1,".repeat(5_000_000)}1]`)).status).toBe(413);
  });
});
