/** A fuzz run on the real bundle (`tools/fuzz`; `npm run fuzz` runs more bodies), and what earlier runs found. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exampleEvent } from "../../contracts/documents/example-event.ts";
import { contractOf } from "../../contracts/registry.ts";
import { codecsOf } from "../../schemas/codecs.ts";
import { avroBody } from "../../tools/fuzz/body-forms.ts";
import { fuzz } from "../../tools/fuzz/fuzz.ts";
import { watchLog } from "../../tools/fuzz/log-watch.ts";
import { bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

/** CI has fifteen minutes in all: `npm run fuzz` goes further. */
const BODIES = 12_000;

describe("mutated bodies", () => {
  let at: TestPlatform;
  const logWatch = watchLog();
  const folder = mkdtempSync(join(tmpdir(), "sluice-fuzz-test-"));
  beforeAll(async () => {
    // Earlier flushes would make thousands of files.
    at = await startTestPlatform({ onWorkerLog: logWatch.take, vars: { FLUSH_AGE_SECONDS: "3" } });
  });
  afterAll(async () => {
    await at.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("no 5xx, every accepted event in bronze, every refused one in the dead letters, no personal data anywhere", async () => {
    const options = { seed: 1, bodies: BODIES, first: 0, concurrency: 32, now: Date.now(), folder, logWatch };
    const report = await fuzz(at.platform, { ...options, log: () => {} });
    expect(report.failures.kept.slice(0, 20)).toEqual([]);
    // A generator that makes nothing but rubbish would prove nothing.
    expect(report.accepted).toBeGreaterThan(BODIES / 4);
    expect(report.deadLetters).toBeGreaterThan(BODIES / 4);
  }, 900_000);
});

describe("found by earlier runs", () => {
  let at: TestPlatform;
  beforeAll(async () => {
    at = await startTestPlatform();
  });
  afterAll(() => at.close());

  test("CloudEvents nested too deep, and Avro blocks that claim more events than they hold, are refused and kept", async () => {
    const deep = `{"event_id":${"[".repeat(6_000)}${"]".repeat(6_000)}}`;
    const headers = { "ce-specversion": "1.0", "ce-id": "deep", "ce-source": "/x", "ce-type": "t" };
    const statuses: unknown[] = [];
    for (const topic of ["orders", "users"]) {
      const contract = contractOf(topic);
      const codec = codecsOf(topic).at(-1);
      if (contract === undefined || codec === undefined) throw new Error(`${topic} has no contract or no schema`);
      statuses.push((await at.post(topic, deep, { headers })).status);
      const event = exampleEvent(contract, codec, { now: Date.now(), id: "one-of-three" });
      const { body } = avroBody("avro-container", codec, [event], 3);
      const { json } = await at.post(topic, body, { type: "application/avro" });
      statuses.push([json.accepted, json.rejected, json.retry]);
    }
    expect(statuses).toEqual([422, [1, 1, 0], 422, [1, 1, 0]]);
    await at.until("the dead letters", async () => (await bronzeRows(at.platform, "dead_letters")) >= 4);
    const [kept] = await at.rows(
      "SELECT payload FROM dead_letters WHERE source_topic = 'orders' AND payload LIKE '{%'",
    );
    expect(kept?.["payload"]).toBe(deep);
    expect(at.errors).toEqual([]);
  });
});
