/** `sluice smoke` against the real bundle: what it says of a platform that works, of a wrong key and of no platform. */
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contracts } from "../../contracts/registry.ts";
import { bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

const main = resolve(import.meta.dirname, "../../tools/cli/main.ts");
let test: TestPlatform;

beforeAll(async () => {
  test = await startTestPlatform();
});
afterAll(async () => {
  await test.close();
});

async function smoke(...flags: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [main, "smoke", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
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
    await test.until("the event is in bronze", async () => (await bronzeRows(test.platform, "weather")) === 1);
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
