import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { order } from "./events.ts";
import { startTestPlatform } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-kill-"));
const stateDir = join(folder, "state");
/** More of them: `KILLS=50 npx vitest run --project platform test/platform/kill.test.ts`. */
const KILLS = Number(process.env["KILLS"] ?? 5);
const SENDERS = 3;
/** A flush cycle is 2 s: kills fall before, into and after one. */
const LONGEST_LIFE_MS = 2_500;
const ROUND_MS = 60_000;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts the platform as the leader of its own process group, so that one signal ends Node and workerd together. */
async function startVictim(): Promise<{ process: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "kill/run-platform.ts"), stateDir], {
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

/** What the senders know: nobody else's word counts. */
interface SendersLog {
  readonly sent: Set<string>;
  readonly accepted: Set<string>;
}

/** Sends until the platform is gone; `onAccepted` is called in the moment in which a 202 has arrived. */
async function sendUntilKilled(url: string, name: string, log: SendersLog, onAccepted: () => void): Promise<void> {
  for (let batch = 0; ; batch++) {
    const events = Array.from({ length: 50 }, (_, i) => order(`${name}-${batch}-${i}`));
    const ids = events.map((event) => String(event["event_id"]));
    for (const id of ids) log.sent.add(id);
    try {
      const response = await fetch(`${url}/v1/topics/orders/events`, {
        method: "POST",
        headers: { authorization: "Bearer local-dev-key", "content-type": "application/json" },
        body: JSON.stringify(events),
      });
      if (response.status !== 202) throw new Error(`a sender got ${response.status}`);
      for (const id of ids) log.accepted.add(id);
      onAccepted();
      await response.arrayBuffer();
    } catch (error) {
      if (error instanceof TypeError) return; // Killed.
      throw error;
    }
  }
}

test("kill -9 right after a 202, again and again: every event answered 202 is in bronze, once", {
  timeout: 120_000 + KILLS * ROUND_MS,
}, async () => {
  const log: SendersLog = { sent: new Set(), accepted: new Set() };
  for (let round = 0; round < KILLS; round++) {
    const victim = await startVictim();
    const gone = once(victim.process, "exit");
    let armed = false;
    const kill = () => {
      if (armed) process.kill(-(victim.process.pid ?? 0), "SIGKILL");
      armed = false;
    };
    const senders = Array.from({ length: SENDERS }, (_, n) =>
      sendUntilKilled(victim.url, `k-${round}-${n}`, log, kill),
    );
    await delay(Math.random() * LONGEST_LIFE_MS);
    armed = true;
    await Promise.all(senders);
    await gone;
  }
  expect(log.accepted.size).toBeGreaterThanOrEqual(50 * KILLS);

  const at = await startTestPlatform({ stateDir });
  try {
    let rows: Record<string, unknown>[] = [];
    await at.until(`${log.accepted.size} accepted events in bronze`, async () => {
      rows = await at.rows("SELECT event_id, count(*)::INT AS n FROM bronze_orders GROUP BY event_id");
      const found = new Set(rows.map((row) => String(row["event_id"])));
      return log.accepted.isSubsetOf(found);
    });
    expect(rows.filter((row) => row["n"] !== 1)).toEqual([]);
    expect(rows.filter((row) => !log.sent.has(String(row["event_id"])))).toEqual([]);
    // Every object under bronze/ is registered: none was written and forgotten.
    const { objects, truncated } = await at.platform.lake.list({ prefix: "bronze/orders/" });
    expect(truncated).toBe(false);
    const { results } = await at.platform.db
      .prepare("SELECT file FROM bronze_files WHERE topic = 'orders'")
      .all<{ file: string }>();
    expect(objects.map((object) => object.key).sort()).toEqual(results.map(({ file }) => file).sort());
  } finally {
    await at.close();
  }
});
