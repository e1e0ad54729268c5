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
