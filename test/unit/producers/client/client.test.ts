import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import {
  BufferFull,
  type Client,
  ClientClosed,
  type ClientOptions,
  createClient,
  type DeliveryError,
  flushOnPageHide,
  type Rejection,
  type TopicEvents,
} from "../../../../producers/client/client.ts";
import { ALL_ACCEPTED, createFakeGateway, type FakeGateway } from "./fake-gateway.ts";

/** Any topic, any event. */
type Untyped = Record<string, object>;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function clientOf(gateway: FakeGateway, options: Partial<ClientOptions<Untyped>> = {}): Client<Untyped> {
  return createClient<Untyped>({
    url: "http://gateway.test/",
    key: "k",
    fetch: gateway.fetch,
    chance: () => 0,
    eventIdFields: { a: "event_id", b: "event_id" },
    ...options,
  });
}

const event = (id: number, pad = "") => ({ event_id: `e-${id}`, pad });
const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const sizes = (gateway: FakeGateway) => gateway.requests.map(({ events }) => events.length);

/** Lets requests, answers and timers come to rest. */
const rest = (ms = 60_000) => vi.advanceTimersByTimeAsync(ms);

describe("batches", () => {
  test("are closed by count, and the rest by linger; topics do not mix", async () => {
    const gateway = createFakeGateway(() => ALL_ACCEPTED);
    const client = clientOf(gateway, { maxBatchEvents: 3, lingerMs: 50 });
    const verdicts = range(7).map((id) => client.send(id === 6 ? "b" : "a", event(id)));
    await vi.advanceTimersByTimeAsync(40);
    expect(sizes(gateway)).toEqual([3, 3]);
    await vi.advanceTimersByTimeAsync(30);
    expect(gateway.requests.map(({ topic, events }) => [topic, events.length])).toEqual([
      ["a", 3],
      ["a", 3],
      ["b", 1],
    ]);
    expect(await Promise.all(verdicts)).toEqual(range(7).map((id) => ({ status: "accepted", eventId: `e-${id}` })));
  });

  test("are closed before they exceed their bytes; a larger event travels alone", async () => {
    const gateway = createFakeGateway(() => ALL_ACCEPTED);
    const client = clientOf(gateway, { maxBatchBytes: 250, gzip: "off" });
    for (const pad of ["x".repeat(60), "x".repeat(60), "x".repeat(60), "x".repeat(400), "x"]) {
      void client.send("a", event(1, pad));
    }
    await rest();
    expect(sizes(gateway)).toEqual([2, 1, 1, 1]);
    for (const { body, events } of gateway.requests) expect(body.length <= 250 || events.length === 1).toBe(true);
  });

  test("go to the topic's address with the key, as newline-delimited JSON; compressed from 1 KB on", async () => {
    // Compression works on threads of its own, which no fake clock waits for.
    vi.useRealTimers();
    const gateway = createFakeGateway(() => ALL_ACCEPTED, 0);
    const client = clientOf(gateway, { lingerMs: 0 });
    await client.send("a b", event(1));
    await client.send("a", event(2, "x".repeat(2_000)));
    expect(gateway.requests[0]).toMatchObject({
      url: "http://gateway.test/v1/topics/a%20b/events",
      headers: { Authorization: "Bearer k", "Content-Type": "application/x-ndjson" },
      body: '{"event_id":"e-1","pad":""}\n',
    });
    expect(gateway.requests[0]?.headers["Content-Encoding"]).toBeUndefined();
    expect(gateway.requests[1]?.headers["Content-Encoding"]).toBe("gzip");
    expect(gateway.requests[1]?.events).toEqual([event(2, "x".repeat(2_000))]);
  });

  test("at most five are in flight, and what waits for a slot goes on filling", async () => {
    const gateway = createFakeGateway(() => ALL_ACCEPTED, 1_000);
    const client = clientOf(gateway, { maxBatchEvents: 10 });
    for (const id of range(53)) void client.send("a", event(id));
    await vi.advanceTimersByTimeAsync(200);
    expect(gateway.requests).toHaveLength(5);
    for (const id of range(7)) void client.send("a", event(100 + id));
    await rest();
    expect(gateway.peak()).toBe(5);
    expect(sizes(gateway)).toEqual([10, 10, 10, 10, 10, 10]);
  });
});

describe("the event id", () => {
  test("is set before the first try, and the same in every try", async () => {
    const gateway = createFakeGateway((_, index) =>
      index < 2 ? { lost: index === 0 ? "before" : "after" } : ALL_ACCEPTED,
    );
    const client = createClient({ url: "http://g", key: "k", fetch: gateway.fetch });
    const sent = client.send("weather", {
      station_id: "SE-001",
      city: "Malmö",
      country: "SE",
      event_timestamp: new Date(0),
      temperature_c: 4.5,
      humidity_pct: 81,
      pressure_hpa: 1_009.25,
      wind_speed_ms: 7,
      condition: "rain",
      is_forecast: false,
    });
    await rest();
    const ids = gateway.requests.map(({ events }) => events[0]?.event_id);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(gateway.requests[0]?.events[0]?.["event_timestamp"]).toBe("1970-01-01T00:00:00.000Z");
    expect(await sent).toEqual({ status: "accepted", eventId: ids[0] });
  });

  test("given by the program stays, and text goes out as it is", async () => {
    const gateway = createFakeGateway(() => ALL_ACCEPTED);
    const client = clientOf(gateway, { newId: () => "made", eventIdFields: { a: "event_id", b: "key" } });
    void client.send("a", event(1));
    void client.send("a", { event_id: undefined, pad: "" });
    void client.send("b", { n: 1 });
    void client.sendJson("a", '{"n": 12345678901234567890.10}');
    await rest();
    expect(gateway.requests.map(({ body }) => body)).toEqual([
      '{"event_id":"e-1","pad":""}\n{"event_id":"made","pad":""}\n{"n": 12345678901234567890.10}\n',
      '{"n":1,"key":"made"}\n',
    ]);
  });

  test("what is no event is refused at once", async () => {
    const client = clientOf(createFakeGateway(() => ALL_ACCEPTED));
    await expect(client.send("a", [])).rejects.toThrow(TypeError);
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    await expect(client.send("a", circular)).rejects.toThrow(TypeError);
    await expect(client.sendJson("a", "{}\n{}")).rejects.toThrow(TypeError);
    await expect(client.sendJson("a", "  ")).rejects.toThrow(TypeError);
  });

  test("topics and events are typed", () => {
    expectTypeOf<TopicEvents["orders"]["currency"]>().toEqualTypeOf<"USD" | "EUR" | "GBP" | "INR" | "JPY">();
    expectTypeOf<TopicEvents["orders"]["event_id"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<TopicEvents["orders"]["amount"]>().toEqualTypeOf<number | string>();
    expectTypeOf<TopicEvents>().not.toHaveProperty("dead_letters");
  });
});

describe("failures", () => {
  test("partial failures reach the right promise, and onReject", async () => {
    const gateway = createFakeGateway(() => ({ verdict: (_, index) => (index % 2 === 1 ? "rejected" : "accepted") }));
    const rejections: Rejection[] = [];
    const client = clientOf(gateway, { onReject: (rejection) => rejections.push(rejection) });
    const sent = client.sendMany(
      "a",
      range(4).map((id) => event(id)),
    );
    await rest();
    const verdicts = await sent;
    expect(verdicts.map(({ status, eventId }) => [status, eventId])).toEqual([
      ["accepted", "e-0"],
      ["rejected", "e-1"],
      ["accepted", "e-2"],
      ["rejected", "e-3"],
    ]);
    const errors = [
      { error_type: "MISSING_FIELD", pointer: "/x", rule: null, detail: "x is missing", contract_version: "1.0.0" },
    ];
    expect(verdicts[1]).toEqual({ status: "rejected", eventId: "e-1", errors });
    expect(rejections).toEqual([
      { topic: "a", eventId: "e-1", errors },
      { topic: "a", eventId: "e-3", errors },
    ]);
  });

  test("verdicts `retry`: only those are sent again, after what the gateway asks", async () => {
    const gateway = createFakeGateway((_, index) =>
      index === 0 ? { verdict: (_, at) => (at < 2 ? "retry" : "accepted"), retryAfter: "5" } : ALL_ACCEPTED,
    );
    const client = clientOf(gateway);
    const sent = client.sendMany(
      "a",
      range(5).map((id) => event(id)),
    );
    await vi.advanceTimersByTimeAsync(5_000);
    expect(gateway.requests).toHaveLength(1);
    await rest();
    expect(gateway.requests[1]?.events).toEqual([event(0), event(1)]);
    expect((await sent).every(({ status }) => status === "accepted")).toBe(true);
  });

  test.each([429, 503])("%i: nothing is sent until Retry-After is over, other topics included", async (status) => {
    const errors: DeliveryError[] = [];
    const gateway = createFakeGateway((_, index) =>
      index === 0 ? { status, retryAfter: "7", code: "BUSY" } : ALL_ACCEPTED,
    );
    const client = clientOf(gateway, { onError: (error) => errors.push(error) });
    const first = client.send("a", event(1));
    await vi.advanceTimersByTimeAsync(100);
    const second = client.send("b", event(2));
    await vi.advanceTimersByTimeAsync(6_900);
    expect(gateway.requests).toHaveLength(1);
    await rest();
    expect(await Promise.all([first, second])).toMatchObject([{ status: "accepted" }, { status: "accepted" }]);
    const problem = { httpStatus: status, code: "BUSY", detail: "no" };
    expect(errors).toEqual([{ topic: "a", events: 1, attempts: 1, willRetry: true, problem }]);
  });

  test("the waits grow from 100 ms to 10 s while there is no answer", async () => {
    const times: number[] = [];
    const gateway = createFakeGateway((_, index) => {
      times.push(Math.round(performance.now()));
      return index < 10 ? { lost: "before" } : ALL_ACCEPTED;
    }, 0);
    const client = clientOf(gateway, { chance: () => 0.999_999 });
    const sent = client.send("a", event(1));
    await rest(120_000);
    expect(await sent).toMatchObject({ status: "accepted" });
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(waits.map((wait) => Math.round(wait / 100) * 100)).toEqual([
      100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000,
    ]);
  });

  test("413 halves the batch until it fits; one event alone is undelivered", async () => {
    const gateway = createFakeGateway(({ events }) =>
      events.length > 2 || events.some(({ pad }) => pad === "huge")
        ? { status: 413, code: "BODY_TOO_LARGE" }
        : ALL_ACCEPTED,
    );
    const client = clientOf(gateway);
    const sent = client.sendMany("a", [event(0), event(1), event(2, "huge"), event(3), event(4)]);
    await rest();
    const verdicts = await sent;
    expect(verdicts.map(({ status }) => status)).toEqual([
      "accepted",
      "accepted",
      "undelivered",
      "accepted",
      "accepted",
    ]);
    expect(verdicts[2]).toMatchObject({ eventId: "e-2", problem: { httpStatus: 413, code: "BODY_TOO_LARGE" } });
  });

  test("a body that is malformed as a whole is halved too, one that is refused for another reason is not", async () => {
    const poison = createFakeGateway(({ events }) =>
      events.some(({ pad }) => pad === "poison") ? { status: 400, code: "MALFORMED_PAYLOAD" } : ALL_ACCEPTED,
    );
    const verdicts = clientOf(poison).sendMany("a", [event(0), event(1), event(2), event(3, "poison"), event(4)]);
    await rest();
    expect((await verdicts).map(({ status }) => status)).toEqual([
      "accepted",
      "accepted",
      "accepted",
      "undelivered",
      "accepted",
    ]);
    const strict = createFakeGateway(() => ({ status: 400, code: "INVALID_PARAMETER" }));
    const refused = clientOf(strict).sendMany("a", [event(0), event(1)]);
    await rest();
    expect((await refused).map(({ status }) => status)).toEqual(["undelivered", "undelivered"]);
    expect(strict.requests).toHaveLength(1);
  });

  test("415 on a compressed body switches compression off", async () => {
    const gateway = createFakeGateway(({ headers }) =>
      headers["Content-Encoding"] === "gzip" ? { status: 415, code: "UNSUPPORTED_CONTENT_ENCODING" } : ALL_ACCEPTED,
    );
    vi.useRealTimers();
    const client = clientOf(gateway, { lingerMs: 0 });
    expect(await client.send("a", event(1, "x".repeat(5_000)))).toMatchObject({ status: "accepted" });
    expect(await client.send("a", event(2, "x".repeat(5_000)))).toMatchObject({ status: "accepted" });
    expect(gateway.requests.map(({ headers }) => headers["Content-Encoding"])).toEqual(["gzip", undefined, undefined]);
  });

  test.each([
    [401, "UNAUTHENTICATED"],
    [403, "FORBIDDEN"],
    [404, "UNKNOWN_TOPIC"],
    [415, "UNSUPPORTED_MEDIA_TYPE"],
  ])("%i ends in `undelivered`, at once", async (status, code) => {
    const gateway = createFakeGateway(() => ({ status, code }));
    const client = clientOf(gateway, { gzip: "off" });
    const sent = client.send("a", event(1));
    await rest();
    expect(await sent).toEqual({
      status: "undelivered",
      eventId: "e-1",
      problem: { httpStatus: status, code, detail: "no" },
    });
    expect(gateway.requests).toHaveLength(1);
  });

  test("an answer that does not add up is not believed; after ten tries the events are undelivered", async () => {
    const gateway = createFakeGateway(() => ({
      status: 202,
      text: '{"accepted":1,"rejected":0,"retry":0,"results":[]}',
    }));
    const client = clientOf(gateway);
    const sent = client.sendMany("a", [event(1), event(2)]);
    await rest(300_000);
    expect((await sent).map(({ status }) => status)).toEqual(["undelivered", "undelivered"]);
    expect(gateway.requests).toHaveLength(10);
  });

  test("giveUpAfterMs bounds an outage", async () => {
    const gateway = createFakeGateway(() => ({ lost: "before" }));
    const client = clientOf(gateway, { giveUpAfterMs: 5_000 });
    const sent = client.send("a", event(1));
    await rest();
    expect(await sent).toMatchObject({
      status: "undelivered",
      problem: { code: "NO_ANSWER", detail: "fetch failed: ECONNRESET" },
    });
  });

  test("a request without an answer is given up after its time", async () => {
    const gateway = createFakeGateway(() => ALL_ACCEPTED, 40_000);
    const errors: DeliveryError[] = [];
    const client = clientOf(gateway, { onError: (error) => errors.push(error), requestTimeoutMs: 30_000 });
    void client.send("a", event(1)).catch(() => {});
    await vi.advanceTimersByTimeAsync(35_000);
    expect(errors[0]).toMatchObject({ willRetry: true, problem: { code: "NO_ANSWER" } });
    void client.close({ timeoutMs: 0 });
    await rest();
  });
});

describe("the buffer", () => {
  test("holds sends back when it is full, in order, and ready() tells", async () => {
    const gateway = createFakeGateway(() => ALL_ACCEPTED, 1_000);
    const client = clientOf(gateway, { maxBufferBytes: 3_000, maxBatchBytes: 1_000, gzip: "off" });
    const sent = range(12).map((id) => client.send("a", event(id, "x".repeat(470))));
    let ready = false;
    void client.ready().then(() => {
      ready = true;
    });
    await vi.advanceTimersByTimeAsync(500);
    expect(gateway.requests.flatMap(({ events }) => events)).toHaveLength(6);
    expect(ready).toBe(false);
    await rest();
    expect(ready).toBe(true);
    expect(gateway.requests.flatMap(({ events }) => events.map(({ event_id }) => event_id))).toEqual(
      range(12).map((id) => `e-${id}`),
    );
    expect(await Promise.all(sent)).toHaveLength(12);
  });

  test("refuses what finds too many waiting", async () => {
    const gateway = createFakeGateway(() => ALL_ACCEPTED, 1_000);
    const client = clientOf(gateway, { maxBufferBytes: 100, maxWaitingSends: 2 });
    const sent = range(3).map(() => client.send("a", event(1, "x".repeat(100))));
    await expect(client.send("a", event(2))).rejects.toThrow(BufferFull);
    await rest();
    expect((await Promise.all(sent)).map(({ status }) => status)).toEqual(["accepted", "accepted", "accepted"]);
  });

  test("sendMany takes no more from its source than fits", async () => {
    const gateway = createFakeGateway(() => ALL_ACCEPTED, 1_000);
    const client = clientOf(gateway, { maxBufferBytes: 5_000, gzip: "off" });
    let taken = 0;
    async function* source() {
      for (; taken < 100; taken++) yield event(taken, "x".repeat(470));
    }
    const sent = client.sendMany("a", source());
    await vi.advanceTimersByTimeAsync(900);
    expect(taken).toBeLessThan(12);
    await rest(120_000);
    expect(await sent).toHaveLength(100);
  });
});

test("on pagehide what is not under way goes to the browser; what it refuses stays", async () => {
  const gateway = createFakeGateway(() => ALL_ACCEPTED, 1_000);
  const client = clientOf(gateway, { lingerMs: 10_000, maxBatchEvents: 10, gzip: "off" });
  const sent = range(25).map((id) => client.send(id < 22 ? "a" : "b", event(id, "x".repeat(6_000))));
  const beacons: { url: string; type: string; text: Promise<string> }[] = [];
  const listeners = new Set<() => void>();
  const undo = flushOnPageHide(client, {
    addEventListener: (_, listener) => void listeners.add(listener),
    removeEventListener: (_, listener) => void listeners.delete(listener),
    navigator: {
      sendBeacon(url, body) {
        if (beacons.length === 2) return false;
        beacons.push({ url, type: body.type, text: body.text() });
        return true;
      },
    },
  });
  await vi.advanceTimersByTimeAsync(0);
  for (const listener of listeners) listener();
  await rest();
  const verdicts = await Promise.all(sent);
  const handedOver = verdicts.filter(
    (verdict) => verdict.status === "undelivered" && verdict.problem.code === "BEACON",
  );
  expect(handedOver.map(({ eventId }) => eventId)).toEqual(["e-20", "e-21", "e-22", "e-23"]);
  expect(verdicts.filter(({ status }) => status === "accepted")).toHaveLength(21);
  expect(beacons.map(({ url, type }) => [url, type])).toEqual([
    ["http://gateway.test/v1/topics/a/events?k=k", "text/plain"],
    ["http://gateway.test/v1/topics/b/events?k=k", "text/plain"],
  ]);
  expect((await beacons[0]?.text)?.trim().split("\n")).toHaveLength(2);
  undo();
  expect(listeners.size).toBe(0);
});

describe("the end", () => {
  test("flush sends at once and waits for what came before it only", async () => {
    const gateway = createFakeGateway(() => ALL_ACCEPTED);
    const client = clientOf(gateway, { lingerMs: 10_000 });
    const before = client.send("a", event(1));
    let flushed = false;
    void client.flush().then(() => {
      flushed = true;
    });
    const after = client.send("a", event(2));
    await vi.advanceTimersByTimeAsync(20);
    expect([flushed, sizes(gateway)]).toEqual([true, [1]]);
    expect(await before).toMatchObject({ status: "accepted" });
    await rest();
    expect(await after).toMatchObject({ status: "accepted" });
  });

  test("close flushes, also what waits for room, and takes nothing more", async () => {
    const gateway = createFakeGateway(() => ALL_ACCEPTED, 100);
    const client = clientOf(gateway, { lingerMs: 10_000, maxBufferBytes: 300 });
    const sent = range(10).map((id) => client.send("a", event(id, "x".repeat(100))));
    const closed = client.close();
    await expect(client.send("a", event(99))).rejects.toThrow(ClientClosed);
    await expect(client.ready()).rejects.toThrow(ClientClosed);
    await rest(20_000);
    await closed;
    expect((await Promise.all(sent)).every(({ status }) => status === "accepted")).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    await client.close();
  });

  test("close gives up after its time: in flight, buffered and waiting events all reject", async () => {
    const gateway = createFakeGateway(() => ({ status: 503, retryAfter: "60" }));
    const client = clientOf(gateway, { maxBufferBytes: 300, maxBatchEvents: 1 });
    const sent = Promise.allSettled(range(10).map((id) => client.send("a", event(id, "x".repeat(100)))));
    const ready = client.ready();
    const refused = expect(ready).rejects.toThrow(ClientClosed);
    const closed = client.close({ timeoutMs: 1_000 });
    await vi.advanceTimersByTimeAsync(1_100);
    await closed;
    await refused;
    for (const outcome of await sent) {
      expect(outcome).toMatchObject({ status: "rejected", reason: expect.any(ClientClosed) });
    }
    const requests = gateway.requests.length;
    await rest(300_000);
    expect(gateway.requests).toHaveLength(requests);
    expect(vi.getTimerCount()).toBe(0);
  });
});
