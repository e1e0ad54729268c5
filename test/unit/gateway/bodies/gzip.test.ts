import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { gunzip } from "../../../../gateway/bodies/gzip.ts";
import { answer, createHarness, deadLetters, order } from "../harness.ts";

const ORDERS = "/v1/topics/orders/events";
const GZIP = { "content-encoding": "gzip" };

describe("Content-Encoding: gzip", () => {
  it("is inflated for every format; positions count in the inflated body", async () => {
    const harness = createHarness();
    const text = `[${JSON.stringify(order("a"))}, ${JSON.stringify(order("b", { channel: "fax" }))}]`;
    const response = await harness.post(ORDERS, gzipSync(text), GZIP);
    expect(response.status).toBe(207);
    expect(deadLetters(harness)[0]).toMatchObject({ byte_offset: text.lastIndexOf('{"event_id"') });
    const lines = [order("c"), order("d")].map((event) => JSON.stringify(event)).join("\n");
    const ndjson = { ...GZIP, "content-type": "application/x-ndjson" };
    expect((await harness.post(ORDERS, gzipSync(lines), ndjson)).status).toBe(202);
    expect((await harness.post(ORDERS, gzipSync(lines), { ...ndjson, "content-encoding": "X-GZIP" })).status).toBe(202);
    expect((await harness.post(ORDERS, gzipSync(""), GZIP)).status).toBe(400);
    expect((await harness.post(ORDERS, lines, { ...ndjson, "content-encoding": "br" })).status).toBe(415);
  });

  it("that is no gzip, or cut off, is 400 and one dead letter with what was received", async () => {
    const harness = createHarness();
    const good = gzipSync(JSON.stringify(order("a", { note: randomBytes(3_000).toString("hex") })));
    const bodies = [Buffer.from("not gzip"), good.subarray(0, 2_500), good.subarray(0, -4), Buffer.alloc(0)];
    for (const body of bodies) {
      const response = await harness.post(ORDERS, body, GZIP);
      expect(response.status).toBe(400);
    }
    const letters = deadLetters(harness);
    expect(letters.length).toBeGreaterThanOrEqual(3);
    expect(letters[1]).toMatchObject({ error_type: "MALFORMED_PAYLOAD", payload_encoding: "base64" });
    expect(Buffer.from(String(letters[1]?.["payload"]), "base64")).toEqual(good.subarray(0, 2_500));
  });

  it("that inflates past the limit is 413, and inflating stops there", async () => {
    const harness = createHarness({ limits: { bodyBytes: 1_000_000 } });
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    const response = await harness.post(ORDERS, bomb, GZIP);
    expect([response.status, (await answer(response)).code]).toEqual([413, "BODY_TOO_LARGE"]);
    expect(harness.sent).toEqual([]);

    let inflated = 0;
    const read = async () => {
      for await (const piece of gunzip([bomb], 1_000_000)) inflated += piece.byteLength;
    };
    await expect(read()).rejects.toMatchObject({ name: "InflatedTooLarge" });
    expect(inflated).toBeLessThanOrEqual(1_000_000);
  });

  it("may have several members, cut anywhere, empty ones and padding with zeros", async () => {
    const lines = [order("a"), order("b"), order("c")].map((event) => `${JSON.stringify(event)}\n`);
    const members = [...lines.flatMap((line) => [gzipSync(line), gzipSync("")]), Buffer.alloc(512)];
    const harness = createHarness();
    const ndjson = { ...GZIP, "content-type": "application/x-ndjson" };
    const response = await harness.post(ORDERS, Buffer.concat(members), ndjson);
    expect([response.status, (await answer(response)).accepted]).toEqual([202, 3]);
    const whole = Buffer.concat(members);
    for (const size of [1, 7, 100]) {
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
        whole.subarray(at * size, (at + 1) * size),
      );
      const parts: Uint8Array[] = [];
      for await (const part of gunzip(pieces, 1_000_000)) parts.push(part);
      expect(Buffer.concat(parts).toString()).toBe(lines.join(""));
    }
  });

  it("whose second member is cut or none is malformed as a whole, and all that was received is kept", async () => {
    const first = gzipSync("[");
    for (const rest of [gzipSync("]").subarray(0, -6), Buffer.from("not a member")]) {
      const harness = createHarness();
      const body = Buffer.concat([first, rest]);
      expect((await harness.post(ORDERS, body, GZIP)).status).toBe(400);
      expect(Buffer.from(String(deadLetters(harness)[0]?.["payload"]), "base64")).toEqual(body);
    }
  });

  it("counts what all members together become", async () => {
    const body = Buffer.concat(Array.from({ length: 30 }, () => gzipSync(Buffer.alloc(100_000))));
    let inflated = 0;
    const read = async () => {
      for await (const piece of gunzip([body], 1_000_000)) inflated += piece.byteLength;
    };
    await expect(read()).rejects.toMatchObject({ name: "InflatedTooLarge" });
    expect(inflated).toBeLessThanOrEqual(1_000_000);
  });

  it("closes the source when its reader stops early", async () => {
    let closed = false;
    async function* endless() {
      try {
        for (;;) yield gzipSync("x".repeat(1_000));
      } finally {
        closed = true;
      }
    }
    for await (const _piece of gunzip(endless(), 1_000_000)) break;
    expect(closed).toBe(true);
  });

  it("passes on what the source throws", async () => {
    async function* failing() {
      yield gzipSync("[]").subarray(0, 5);
      throw new Error("the sender is gone");
    }
    const read = async () => {
      for await (const _piece of gunzip(failing(), 1_000));
    };
    await expect(read()).rejects.toThrow("the sender is gone");
  });
});
