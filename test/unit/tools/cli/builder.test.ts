/** `sluice builder`: its flags, its folder, what it prints, and how a signal ends it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { recordBuild } from "../../../../builder/build-event.ts";
import { bytesOf } from "../../../../builder/options.ts";
import { memoryFlag } from "../../../../tools/cli/builder/flags.ts";
import { holdFolder } from "../../../../tools/cli/builder/folder.ts";
import { jsonReport } from "../../../../tools/cli/builder/reports.ts";
import { orderOf, type PlatformDouble, startPlatformDouble } from "../../../oracle/builder-platform.ts";

const main = resolve(import.meta.dirname, "../../../../tools/cli/main.ts");
const folder = mkdtempSync(join(tmpdir(), "sluice-builder-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start({ url, key }: PlatformDouble, dir: string, ...flags: string[]) {
  const child = spawn(
    process.execPath,
    [main, "builder", "--url", url, "--dir", join(folder, dir), "--memory", "300MB", ...flags],
    {
      env: { ...process.env, SLUICE_KEY: key },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const output = { out: "", err: "" };
  child.stdout.on("data", (text) => (output.out += text));
  child.stderr.on("data", (text) => (output.err += text));
  return { child, output };
}

async function exitCode(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null) return child.exitCode;
  const [code, signal] = await once(child, "exit");
  return code ?? signal;
}

describe("sizes", () => {
  test.each([
    ["2GB", 2e9],
    ["512MB", 512e6],
    ["1.5GiB", 1_610_612_736],
    ["300 mb", 3e8],
  ])("%s is %i bytes", (text, bytes) => expect(bytesOf(text)).toBe(bytes));
  test.each(["", "2", "GB", "2 G", "-1GB", "1e3MB", "2GB or so"])("%j is none", (text) =>
    expect(bytesOf(text)).toBeUndefined(),
  );
  test("less than DuckDB needs is refused, with the least", () => {
    expect(() => memoryFlag("memory", "64MB")).toThrow("--memory takes 128MB at the least");
    expect(memoryFlag("cache", "0MB")).toBe(0);
    expect(() => memoryFlag("cache", "many")).toThrow('--cache takes a size such as 2GB or 512MB, not "many"');
  });
});

test("a folder is one builder's at a time", () => {
  const dir = join(folder, "held");
  const held = holdFolder(dir);
  expect(() => holdFolder(dir)).toThrow("--dir");
  held[Symbol.dispose]();
  holdFolder(dir)[Symbol.dispose]();
});

test("a build is one JSON line, which says where the time went", () => {
  const lines: string[] = [];
  let now = 0;
  const recorder = recordBuild(orderOf({ run: "r1" }), () => now);
  for (const [phase, at] of [
    ["fetch", 10],
    ["run", 40],
    ["run", 50],
    ["upload", 90],
  ] as const) {
    now = at;
    recorder.phase(phase);
  }
  now = 100;
  recorder.figures({ rows_out: 5 });
  jsonReport((line) => void lines.push(line)).built(recorder.end("published", null));
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    ...{ event: "native_build", run: "r1", table: "gold_things", outcome: "published", message: null, rows_out: 5 },
    ...{ fetch_ms: 30, run_ms: 50, check_ms: 0, upload_ms: 10, total_ms: 100 },
  });
});

describe("the program", () => {
  test("builds what waits and ends, with --once; a key that is refused is told in one line", async () => {
    await using platform = await startPlatformDouble({ orders: [orderOf({}), orderOf({})], objects: new Map() });
    const { child, output } = start(platform, "once", "--once");
    expect(await exitCode(child)).toBe(0);
    const events = output.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events).toMatchObject([{ outcome: "published" }, { outcome: "published" }]);
    expect(platform.builders[0]).toMatchObject({ memory_bytes: 3e8 });

    const refused = start({ ...platform, url: platform.url, key: "another" }, "refused", "--once");
    expect(await exitCode(refused.child)).toBe(1);
    expect(refused.output.err).toMatch(/^The platform refused this builder: 401: .*scope \*:build.*\n$/);
  });

  test("gives its lease back at SIGINT and at SIGTERM, and ends well", async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const order = orderOf({
        sql: "SELECT count(*)::INTEGER FROM range(100000000) a(i) JOIN range(100000000) b(j) ON a.i = b.j",
        renew_every_ms: 50,
      });
      const renewed = Promise.withResolvers<void>();
      await using platform = await startPlatformDouble({
        orders: [order],
        objects: new Map(),
        onCall: ({ name, nth }) => {
          if (name === "POST renew" && nth === 2) renewed.resolve();
        },
      });
      const { child, output } = start(platform, signal);
      await renewed.promise;
      child.kill(signal);
      expect(await exitCode(child)).toBe(0);
      expect(platform.failures).toMatchObject([{ run: order.run, class: "released" }]);
      expect(JSON.parse(output.out)).toMatchObject({ outcome: "released" });
    }
  });
});
