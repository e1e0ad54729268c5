/** The native builder beside a local platform: it builds, gives back what it builds when it is stopped, and ends with whoever started it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, expect, test } from "vitest";
import { builtLine, startBuilderProcess } from "../../../../tools/local-platform/builder-process.ts";
import { isAlive } from "../../../../tools/process-lock.ts";
import { orderOf, startPlatformDouble } from "../../../oracle/builder-platform.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-builder-process-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ENDLESS = "SELECT count(*)::INTEGER FROM range(100000000) a(i) JOIN range(100000000) b(j) ON a.i = b.j";

test("it builds, and what it builds when it is stopped goes back", async () => {
  const renewed = Promise.withResolvers<void>();
  await using platform = await startPlatformDouble({
    orders: [orderOf({}), orderOf({ sql: ENDLESS, renew_every_ms: 50 })],
    objects: new Map(),
    onCall: ({ name }) => {
      if (name === "POST renew") renewed.resolve();
    },
  });
  const built: string[] = [];
  const onBuilt = (event: string) => void built.push(event);
  const builder = startBuilderProcess({ url: platform.url, apiKey: platform.key, dir: join(folder, "a"), onBuilt });
  await renewed.promise;
  await builder.stop();
  await builder.stop();
  expect(await builder.gone).toBe(0);
  expect(built.map((event) => JSON.parse(event).outcome)).toEqual(["published", "released"]);
  expect(builtLine(built[0] ?? "")).toMatch(/^builder: gold_things 2026-03-18 published, 1 rows in \d+\.\d s$/);
  expect(platform.failures).toMatchObject([{ class: "released" }]);
});

test("it ends when the process that started it is killed", async () => {
  const asked = Promise.withResolvers<void>();
  await using platform = await startPlatformDouble({ orders: [], objects: new Map(), onCall: () => asked.resolve() });
  const module = resolve(import.meta.dirname, "../../../../tools/local-platform/builder-process.ts");
  const options = JSON.stringify({ url: platform.url, apiKey: platform.key, dir: join(folder, "b") });
  const code = `const { startBuilderProcess } = await import(${JSON.stringify(module)});
    console.log(startBuilderProcess(${options}).pid); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: parent.stdout }), "line");
  const pid = Number(line);
  await asked.promise;
  parent.kill("SIGKILL");
  await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
});
