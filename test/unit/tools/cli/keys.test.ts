import { afterEach, describe, expect, it, vi } from "vitest";
import { command, seconds } from "../../../../tools/cli/keys.ts";
import { CommandProblem } from "../../../../tools/command-problem.ts";
import { createHarness } from "../../gateway/harness.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** What `sluice keys ...` prints, on a platform that is the gateway on fakes. */
function terminal(): (line: string) => Promise<string> {
  const harness = createHarness();
  vi.stubGlobal("fetch", (url: URL, init: RequestInit) => harness.bare(url.pathname, init));
  const printed = vi.spyOn(console, "log").mockImplementation(() => {});
  return async (line) => {
    printed.mockClear();
    await command.run(line.split(" "));
    return printed.mock.calls.flat().join("\n");
  };
}

describe("sluice keys", () => {
  it("makes, rotates, revokes and lists keys", async () => {
    const run = terminal();
    const made = await run("create --producer shop --scope orders:write --expires 7d");
    const id = /key_[0-9a-f]{12}/.exec(made)?.[0] ?? "";
    expect(made).toMatch(/^sk_local_/);
    expect(await run(`rotate ${id} --overlap 30m`)).toContain(`${id} stays valid for 30m`);
    expect(await run(`revoke ${id}`)).toContain("within 60 s");
    const browser = await run(
      "create --producer web --publishable --scope orders:write --origin https://shop.example --events-per-minute 9 --json",
    );
    expect(JSON.parse(browser)).toMatchObject({ kind: "publishable", events_per_minute: 9 });
    const list = await run("list");
    expect(list).toContain("https://shop.example");
    expect(list).toMatch(new RegExp(`${id}.*revoked`));
    expect(list).not.toContain("sk_local_");
  });

  it("says what was wrong", async () => {
    const run = terminal();
    await expect(run("create --producer shop --scope nowhere:write")).rejects.toThrow(/400: scopes.*no topic/);
    await expect(run("revoke key_none")).rejects.toThrow("404");
    await expect(run("list --key nobody")).rejects.toThrow("401");
    await expect(run("rotate")).rejects.toThrow(CommandProblem);
    await expect(run("rotate key_1 --overlap soon")).rejects.toThrow("--overlap takes a time");
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("fetch failed")));
    await expect(run("list")).rejects.toThrow("does not answer");
  });

  it("reads durations", () => {
    expect(["0s", "30m", "24h", "7d"].map((text) => seconds("x", text))).toEqual([0, 1_800, 86_400, 604_800]);
  });
});
