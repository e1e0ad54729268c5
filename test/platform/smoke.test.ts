/** `sluice smoke` and `sluice topics` against the real bundle: a platform that works, a wrong key, no platform, a buffer that waits. */
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contracts } from "../../contracts/registry.ts";
import { bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

const main = resolve(import.meta.dirname, "../../tools/cli/main.ts");
let test: TestPlatform;

beforeAll(async () => {
  // Nothing is flushed that nobody asks for.
  test = await startTestPlatform({ vars: { FLUSH_AGE_SECONDS: "3600" } });
});
afterAll(async () => {
  await test.close();
});

const smoke = (...flags: string[]) => sluice("smoke", ...flags);
const topics = (...words: string[]) =>
  sluice("topics", ...words, "--url", test.platform.url, "--key", test.platform.apiKey);

async function sluice(...words: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [main, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += String(text)));
  const code = await new Promise<number | null>((closed) => child.on("close", closed));
  return { code, output };
}

describe("sluice smoke", () => {
  it("judges every topic's example and stores nothing", async () => {
    const { code, output } = await smoke("--url", test.platform.url, "--key", test.platform.apiKey, "--env", "local");
    expect(output).not.toContain("FAILED");
    expect(code).toBe(0);
    for (const { topic } of contracts.filter(({ platformOnly }) => !platformOnly)) {
      expect(output).toMatch(new RegExp(`^${topic}, dry run +ok +accepted$`, "m"));
    }
    expect(await bronzeRows(test.platform, "weather")).toBe(0);
  });

  it("stores one event where it is told to", async () => {
    const { code, output } = await smoke("--url", test.platform.url, "--write", "weather");
    expect([code, output]).toEqual([0, expect.stringMatching(/^weather, stored +ok/m)]);
    const buffered = async (): Promise<number> =>
      (await test.get("/v1/topics/weather/lag?waiting=true")).json.waiting.buffers.events;
    await test.until("the event is in a buffer", async () => (await buffered()) === 1);
    expect((await topics("flush", "weather")).output).toMatch(/: 1 events.*\n1 events are on their way/);
    await test.until("the event is in bronze", async () => (await bronzeRows(test.platform, "weather")) === 1);
    await test.until("the buffer is empty", async () => (await buffered()) === 0);
    expect((await topics("flush", "weather")).output).toContain("Nothing to flush");
    const peeked = await topics("peek", "weather");
    expect([peeked.code, JSON.parse(peeked.output)]).toEqual([0, expect.objectContaining({ city: expect.anything() })]);
    expect((await topics("list")).output).toMatch(/weather +\S+ +\d+ +1 +0 +0/);
  });

  it("says what is wrong, and what to do", async () => {
    const wrongKey = await smoke("--url", test.platform.url, "--key", "sk_local_wrong");
    expect(wrongKey.code).toBe(1);
    expect(wrongKey.output).toMatch(/v1\/topics: 401 .*docs\/keys\.md/);
    const otherEnvironment = await smoke("--url", test.platform.url, "--env", "staging");
    expect([otherEnvironment.code, otherEnvironment.output]).toEqual([1, expect.stringContaining("not staging")]);
    const nobody = await smoke("--url", "http://127.0.0.1:9");
    expect([nobody.code, nobody.output]).toEqual([1, expect.stringContaining("no answer")]);
  });
});
