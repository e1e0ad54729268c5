import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { order } from "./events.ts";
import { startTestPlatform } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-kill-"));
const stateDir = join(folder, "state");
const ackFile = join(folder, "acknowledged");
const KILLS = 3;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts the platform as the leader of its own process group, so that one signal ends Node and workerd together. */
async function startVictim(): Promise<{ process: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "kill/run-platform.ts"), stateDir, ackFile], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    child.stdout?.on("data", (chunk) => {
      output += String(chunk);
      const match = /URL (\S+)/.exec(output);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
    child.once("exit", (code) => reject(new Error(`the platform ended with ${code}: ${output}`)));
  });
  return { process: child, url };
}

function acknowledged(): Set<string> {
  if (!existsSync(ackFile)) return new Set();
  const lines = readFileSync(ackFile, "utf8").split("\n");
  // The last line may be cut by the kill.
  return new Set(lines.slice(0, -1).flatMap((line): string[] => JSON.parse(line)));
}

async function sendUntilKilled(url: string, round: number, sent: Set<string>): Promise<void> {
  for (let batch = 0; ; batch++) {
    const events = Array.from({ length: 50 }, (_, i) => order(`k-${round}-${batch}-${i}`));
    for (const event of events) sent.add(String(event["event_id"]));
    try {
      const response = await fetch(`${url}/v1/topics/orders/events`, {
        method: "POST",
        headers: { authorization: "Bearer local-dev-key", "content-type": "application/json" },
        body: JSON.stringify(events),
      });
      await response.arrayBuffer();
    } catch {
      return; // Killed.
    }
    await delay(10);
  }
}

test("kill -9 in the middle of sending: what a Durable Object acknowledged is in bronze, once", async () => {
  const sent = new Set<string>();
  for (let round = 0; round < KILLS; round++) {
    const before = acknowledged().size;
    const victim = await startVictim();
    const sending = sendUntilKilled(victim.url, round, sent);
    // Killed at different points of the flush cycle (2 s), but never before something was acknowledged.
    while (acknowledged().size === before) await delay(50);
    await delay(400 + round * 700);
    process.kill(-(victim.process.pid ?? 0), "SIGKILL");
    await sending;
    await new Promise((resolve) =>
      victim.process.exitCode !== null || victim.process.signalCode !== null
        ? resolve(null)
        : victim.process.once("exit", resolve),
    );
  }
  const must = acknowledged();
  expect(must.size).toBeGreaterThan(100);

  const at = await startTestPlatform({ stateDir });
  try {
    let rows: Record<string, unknown>[] = [];
    await at.until(`${must.size} acknowledged events in bronze`, async () => {
      rows = await at.rows("SELECT event_id, count(*)::INT AS n FROM bronze_orders GROUP BY event_id");
      const found = new Set(rows.map((row) => row["event_id"]));
      return [...must].every((id) => found.has(id));
    });
    expect(rows.filter((row) => row["n"] !== 1)).toEqual([]);
    expect(rows.filter((row) => !sent.has(String(row["event_id"])))).toEqual([]);
    // Every object under bronze/ is registered: none was written and forgotten.
    const listed = await at.platform.lake.list({ prefix: "bronze/orders/" });
    const { results } = await at.platform.db
      .prepare("SELECT file FROM bronze_files WHERE topic = 'orders'")
      .all<{ file: string }>();
    expect(listed.objects.map((object) => object.key).sort()).toEqual(results.map(({ file }) => file).sort());
  } finally {
    await at.close();
  }
});
