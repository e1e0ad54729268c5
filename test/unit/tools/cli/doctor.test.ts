import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { doctorChecks } from "../../../../tools/cli/doctor/checks.ts";
import { examine, type Finding, ok, renderFinding } from "../../../../tools/cli/doctor/examine.ts";
import type { WranglerAnswer } from "../../../../tools/provision/wrangler.ts";

const root = resolve(import.meta.dirname, "../../../..");
const dir = mkdtempSync(join(tmpdir(), "sluice-doctor-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const OWN_NODE: string = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies.node;
const LOGGED_IN: WranglerAnswer = { exitCode: 0, stdout: '{"loggedIn":true}', stderr: "" };

/** The findings by name; `contracts` compiles the whole project, which other tests do. */
async function findings(at: string, { node = OWN_NODE, login = LOGGED_IN } = {}): Promise<Map<string, Finding>> {
  const checks = doctorChecks({ root: at, nodeVersion: node, wrangler: async () => login });
  const found = new Map<string, Finding>();
  for await (const finding of examine(checks.filter(({ name }) => name !== "contracts" || at !== root))) {
    found.set(finding.name, finding);
  }
  return found;
}

describe("sluice doctor", () => {
  it("finds this checkout in order", async () => {
    for (const [name, { state, seen }] of await findings(root)) {
      if (name !== "ports") expect([name, state, seen]).toEqual([name, "ok", seen]);
    }
  });

  it("an empty folder is wrong in every way that matters, each with what to do, and no check stops the others", async () => {
    const found = await findings(dir, { node: "20.11.0" });
    for (const name of ["node", "install", "lock", "contracts", "wrangler.toml"]) {
      expect([name, found.get(name)?.state]).toEqual([name, "wrong"]);
      expect(found.get(name)?.advice).not.toBe("");
    }
    expect(found.get("state folder")?.seen).toBe("none yet");
  });

  it.each([
    [OWN_NODE, "ok", ""],
    ["22.18.0", "warning", "npx sluice"],
    ["99.0.0", "warning", "npx sluice"],
    ["22.17.1", "wrong", "npx sluice"],
    ["20.19.0", "wrong", "npx sluice"],
  ])("says of Node %s: %s", async (node, state, advice) => {
    const finding = (await findings(root, { node })).get("node");
    expect(finding).toMatchObject({ state, advice: expect.stringContaining(advice) });
  });

  it("names a package that is not as locked", async () => {
    const at = join(dir, "old");
    mkdirSync(join(at, "node_modules"), { recursive: true });
    const lock = (version: string) => JSON.stringify({ packages: { "": {}, "node_modules/hono": { version } } });
    writeFileSync(join(at, "package.json"), '{"dependencies":{"hono":"4.0.0"}}');
    writeFileSync(join(at, "package-lock.json"), lock("4.0.0"));
    writeFileSync(join(at, "node_modules/.package-lock.json"), lock("3.0.0"));
    expect((await findings(at)).get("install")).toMatchObject({
      state: "wrong",
      advice: "run npm ci",
      seen: expect.stringContaining("node_modules/hono"),
    });
  });

  it("wrangler's login is needed to deploy only, and skipped without a network", async () => {
    const out = await findings(dir, { login: { exitCode: 1, stdout: '{"loggedIn":false}', stderr: "" } });
    expect(out.get("wrangler login")).toMatchObject({ state: "warning", seen: "not logged in" });
    const offline = await findings(dir, { login: { exitCode: 1, stdout: "", stderr: "TypeError: fetch failed" } });
    expect(offline.get("wrangler login")?.state).toBe("skipped");
  });

  it("a port in use is a warning", async () => {
    const server = createServer();
    const taken = await new Promise<boolean>((settled) => {
      server.once("error", () => settled(false));
      server.listen(8787, "127.0.0.1", () => settled(true));
    });
    expect((await findings(dir)).get("ports")).toMatchObject({
      state: "warning",
      seen: expect.stringContaining("8787"),
    });
    if (taken) await new Promise((closed) => server.close(closed));
  });

  it("shows what to do below what was seen", () => {
    expect(renderFinding({ name: "lock", state: "wrong", seen: "a\nb", advice: "run it" }).split("\n")).toHaveLength(3);
    expect(renderFinding({ name: "lock", ...ok("fine") })).toBe("ok     lock             fine");
  });
});
