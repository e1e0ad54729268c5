/** What a topic may be called. A topic's name becomes tables, queues and D1 domains, so it must collide with none of them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CommandProblem } from "../../command-problem.ts";

/** Cloudflare's queue names have at most 63 characters; the longest of a topic is `sluice-production-<topic>-dlq`. */
const MAX_LENGTH = 63 - "sluice-production--dlq".length;

/** Names that the platform's own tables (`silver_ledger`), queues (`builds`) and code folders under schemas/ have. */
const RESERVED: readonly string[] = ["builds", "ledger", "canonical", "compatibility"];

/** Throws CommandProblem (USAGE) with a name that would do, or with why none can be made of it. */
export function checkTopicName(topic: string): void {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(topic)) {
    const mended = topic
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^[_0-9]+|_+$/g, "");
    const hint = mended === "" ? "" : ` Try "${mended}".`;
    throw refusal(`A topic is named in lower_snake_case (letters a-z first, digits, single _), not "${topic}".${hint}`);
  }
  if (topic.length > MAX_LENGTH) {
    throw refusal(`"${topic}" has ${topic.length} characters; a queue's name has room for ${MAX_LENGTH} of a topic.`);
  }
  if (RESERVED.includes(topic)) throw refusal(`"${topic}" is a name of the platform itself: choose another one.`);
  if (topic.endsWith("_dlq")) {
    throw refusal(
      `"${topic}" would share the queue of ${topic.slice(0, -4)}'s dead letters: choose a name without _dlq.`,
    );
  }
}

/** Throws CommandProblem (TOPIC_EXISTS) if anything under `root` has the topic's name, or that of its files, already. */
export function checkTopicIsNew(root: string, topic: string, files: readonly string[]): void {
  const existing = [...files, `schemas/${topic}`].filter((file) => existsSync(join(root, file)));
  if (existing.length > 0) {
    throw new CommandProblem(
      "TOPIC_EXISTS",
      `There is a topic ${topic} already (${existing.join(", ")}). Nothing was written.\n` +
        "Edit these files, or choose another name. A schema that is released gets a next version: docs/schema-evolution.md.",
    );
  }
  // A topic and a gold model of one name would be one domain to the planner.
  for (const file of [`sql/gold/${topic}.sql`, `contracts/daily_${topic}.yaml`]) {
    if (!existsSync(join(root, file))) continue;
    throw new CommandProblem(
      "TOPIC_EXISTS",
      `${file} has a name that ${topic} needs: tables are named after topics and models. Nothing was written; choose another name.`,
    );
  }
}

function refusal(message: string): CommandProblem {
  return new CommandProblem("USAGE", `${message} Nothing was written.`);
}
