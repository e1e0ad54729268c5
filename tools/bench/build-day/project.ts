/** A copy of the project with the bench's topics: one with all of the fields of `clickstream`, and quiet ones as `sluice new-topic` makes them. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Bundle, buildBundle } from "../../build/bundle.ts";
import { compileProject } from "../../build/compile.ts";
import { topicFiles } from "../../cli/new-topic/templates.ts";
import { copyProject } from "../project-copy.ts";

const root = resolve(import.meta.dirname, "../../..");
export const BUSY_TOPIC = "clickstream";

/** With `quiet` topics beside those of the project. */
export async function benchProject(folder: string, quiet: number): Promise<{ root: string; bundle: Bundle }> {
  copyProject(root, folder);
  makeDefault(folder);
  for (let number = 0; number < quiet; number++) addTopic(folder, quietTopic(number));
  await compileProject(folder);
  const entry = "tools/bench/build-day/day-worker.ts";
  return { root: folder, bundle: await buildBundle({ root: folder, outdir: "dist", entry }) };
}

export function quietTopic(number: number): string {
  return `quiet_${String(number + 1).padStart(2, "0")}`;
}

/** The busy topic says nothing that has a default, and a gold table reads it. */
function makeDefault(folder: string): void {
  const file = join(folder, `contracts/${BUSY_TOPIC}.yaml`);
  const contract = readFileSync(file, "utf8");
  const lines = contract.split("\n").filter((line) => !/property: (shards|flush|buildAfter),/.test(line));
  writeFileSync(file, lines.join("\n"));
  writeFileSync(join(folder, "sql/gold/daily_clicks.sql"), CLICKS);
}

const CLICKS = `/* ---
description: Clicks of a day by what was done and on what
partition: event_date
key: [event_date, event_type, device]
checks:
  - { metric: rowCount, mustBeGreaterThan: 0, on_fail: block }
max_rows: 1000
--- */
SELECT event_date, event_type, device, count(*) AS clicks, avg(duration_ms) AS avg_duration_ms
FROM silver_${BUSY_TOPIC}
GROUP BY event_date, event_type, device
`;

function addTopic(folder: string, topic: string): void {
  for (const { path, text } of topicFiles(topic)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const file = join(folder, "schemas/releases.json");
  const list: { releases: { id: number; topic: string; version: number; sha256: string }[] } = JSON.parse(
    readFileSync(file, "utf8"),
  );
  const schema = readFileSync(join(folder, `schemas/${topic}/v1.avsc`), "utf8");
  const sha256 = createHash("sha256").update(schema).digest("hex");
  list.releases.push({ id: Math.max(...list.releases.map(({ id }) => id)) + 1, topic, version: 1, sha256 });
  writeFileSync(file, JSON.stringify(list));
}
