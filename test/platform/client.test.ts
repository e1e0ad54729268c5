/** The client SDK and `sluice send` against the real bundle; what they were told is what DuckDB finds in bronze. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type DeliveryError, type Rejection } from "../../producers/client/client.ts";
import { order, weather } from "./events.ts";
import { bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

const EVENTS = 5_000;
const sluice = resolve(import.meta.dirname, "../../tools/cli/sluice.mjs");
const dir = mkdtempSync(join(tmpdir(), "sluice-send-"));

let at: TestPlatform;
beforeAll(async () => {
  at = await startTestPlatform();
});
afterAll(async () => {
  await at.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Every tenth has a currency that the contract does not accept. */
const faulty = (n: number) => n % 10 === 3;

test("5,000 events: every verdict is right, every accepted event is in bronze once", async () => {
  const rejections: Rejection[] = [];
  const errors: DeliveryError[] = [];
  const client = createClient<Record<string, object>>({
    url: at.platform.url,
    key: at.platform.apiKey,
    onReject: (rejection) => rejections.push(rejection),
    onError: (error) => errors.push(error),
  });
  function* events() {
    for (let n = 0; n < EVENTS; n++) {
      // Every other event leaves its id to the client.
      const { event_id: _, ...rest } = order("", faulty(n) ? { currency: "XXX" } : {});
      yield n % 2 === 0 ? { ...rest, event_id: `sdk-${n}`, coupon: String(n) } : { ...rest, coupon: String(n) };
    }
  }
  const verdicts = await client.sendMany("orders", events());
  await client.close();

  expect(verdicts.map(({ status }) => status)).toEqual(
    Array.from({ length: EVENTS }, (_, n) => (faulty(n) ? "rejected" : "accepted")),
  );
  expect(rejections).toHaveLength(EVENTS / 10);
  expect(rejections[0]?.errors[0]).toMatchObject({ error_type: "INVALID_ENUM", pointer: "/currency" });
  expect(errors.filter(({ willRetry }) => !willRetry)).toEqual([]);

  const accepted = verdicts.flatMap(({ status, eventId }, n) => (status === "accepted" ? [`${n} ${eventId}`] : []));
  await at.until("all in bronze", async () => (await bronzeRows(at.platform, "orders")) >= accepted.length);
  const rows = await at.rows("SELECT coupon || ' ' || event_id AS event FROM bronze_orders ORDER BY coupon::INT");
  expect(rows.map((row) => row["event"])).toEqual(accepted);
});

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function send(args: readonly string[], input?: string): Promise<Run> {
  const target = ["--url", at.platform.url, "--key", at.platform.apiKey];
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [sluice, "send", ...args, ...target]);
    const run = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      run.out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      run.err += text;
    });
    child.on("error", fail);
    child.on("close", (code) => done({ code, ...run }));
    child.stdin.end(input);
  });
}

test("sluice send FILE --wait: lists what was rejected, returns when the rest is in bronze, whatever others send", async () => {
  const lines = Array.from({ length: 300 }, (_, n) => JSON.stringify(weather(`cli-${n}`)));
  lines[6] = '{"event_id":"broken",';
  lines[7] = JSON.stringify(weather("cold", { temperature_c: "cold" }));
  const file = join(dir, "weather.ndjson");
  writeFileSync(file, lines.join("\n"));

  let ended = false;
  const others = (async () => {
    for (let n = 0; !ended; n++) {
      await at.post("weather", JSON.stringify(Array.from({ length: 50 }, (_, i) => weather(`other-${n}-${i}`))));
    }
  })();
  const { code, out, err } = await send([file, "--topic", "weather", "--wait", "--batch", "50"]);
  ended = true;
  const found = await at.rows(
    "SELECT count(DISTINCT event_id)::INT AS n FROM bronze_weather WHERE event_id LIKE 'cli-%'",
  );
  await others;
  expect(found).toEqual([{ n: 298 }]);
  expect(out).toContain(`300 events of ${file}: 298 accepted, 2 rejected`);
  expect(out).toMatch(/^ +7 {2}- {2}MALFORMED_PAYLOAD /m);
  expect(out).toMatch(/^ +8 {2}cold {2}TYPE_MISMATCH \/temperature_c /m);
  expect(out).toContain("readable in bronze_weather");
  expect(err).toContain("sending");
  expect(code).toBe(1);
});

test("sluice send reads a pipe, and an array; a wrong key or topic is said plainly", async () => {
  const piped = await send(["-", "--topic", "weather"], `${JSON.stringify(weather("pipe"))}\n`);
  expect([piped.code, piped.out]).toEqual([0, expect.stringContaining("1 event of standard input: 1 accepted")]);
  const array = JSON.stringify([weather("array-1"), { event_id: "array-2" }], null, 2);
  const document = await send(["-", "--format", "json", "--allow-rejects", "--topic", "weather"], array);
  expect([document.code, document.out]).toEqual([0, expect.stringContaining("1 accepted, 1 rejected")]);
  const unknown = await send(["-", "--topic", "nope"], "{}\n");
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("404 (UNKNOWN_TOPIC")]);
  const missing = await send([join(dir, "none.ndjson"), "--topic", "weather"]);
  expect([missing.code, missing.err]).toEqual([2, expect.stringContaining("There is no file")]);
});
