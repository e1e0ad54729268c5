import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { contracts } from "../../../../contracts/registry.ts";
import { QueueSectionError, syncQueues } from "../../../../tools/build/wrangler/queues.ts";

const toml = readFileSync(resolve(import.meta.dirname, "../../../../wrangler.toml"), "utf8");
const topics = contracts.map((contract) => contract.topic);

describe("the queue sections of wrangler.toml", () => {
  test("are in step with the contracts", () => {
    expect(syncQueues(toml, topics)).toBe(toml);
  });

  test("writing them twice changes nothing, and the topics' order does not matter", () => {
    const once = syncQueues(toml, ["b_side", "a"]);
    expect(syncQueues(once, ["a", "b_side"])).toBe(once);
    expect(syncQueues(once, topics)).toBe(toml);
  });

  test("a topic has a producer, a consumer and a consumer of its dead-letter queue in every environment", () => {
    const synced = syncQueues(toml, [...topics, "parcel_scans"]);
    for (const [environment, table] of [
      ["local", ""],
      ["staging", "env.staging."],
      ["production", "env.production."],
    ]) {
      const queue = `sluice-${environment}-parcel-scans`;
      expect(synced).toContain(
        `[[${table}queues.producers]]\nbinding = "TOPIC_PARCEL_SCANS"\nqueue = "${queue}"\n\n[[${table}queues.consumers]]\nqueue = "${queue}"\n`,
      );
      expect(synced).toContain(
        `dead_letter_queue = "${queue}-dlq"\n\n[[${table}queues.consumers]]\nqueue = "${queue}-dlq"`,
      );
    }
  });

  test("drift shows: a removed topic, a changed setting", () => {
    expect(syncQueues(toml, topics.slice(1))).not.toBe(toml);
    const changed = toml.replace("max_batch_timeout = 1\n", "max_batch_timeout = 2\n");
    expect(changed).not.toBe(toml);
    expect(syncQueues(changed, topics)).toBe(toml);
  });

  test("what stands outside the markers stays as it is", () => {
    const [head = "", ...rest] = toml.split("# queues of local");
    const edited = [`${head}# by hand\n`, ...rest].join("# queues of local");
    expect(syncQueues(edited, topics)).toBe(edited);
  });

  test("a missing, doubled or reversed marker and a queue elsewhere are errors that say what to do", () => {
    const end = "# end of the queues of staging";
    expect(() => syncQueues(toml.replace(end, ""), topics)).toThrow(/end of the queues of staging.*put it back/);
    expect(() => syncQueues(`${toml}\n${end}\n`, topics)).toThrow(QueueSectionError);
    const reversed = toml
      .replace(/\n(# queues of local[^\n]*)\n/, "\n")
      .replace(
        /(\n# end of the queues of local\n)/,
        "$1# queues of local: written by `npm run wrangler:sync` from the contracts\n",
      );
    expect(() => syncQueues(reversed, topics)).toThrow(/end before they start/);
    const stray = `${toml}\n[[env.production.queues.producers]]\nbinding = "STRAY"\nqueue = "stray"\n`;
    expect(() => syncQueues(stray, topics)).toThrow(/wrangler\.toml:\d+: a queue outside the markers/);
  });
});
