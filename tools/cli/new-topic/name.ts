/** Whether a new topic can have the name it is given. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { topicNameProblem } from "../../build/contracts/topic-name.ts";
import { CommandProblem } from "../../command-problem.ts";

/** Throws CommandProblem (USAGE) with a name that would do, or with why none can be made of it. */
export function checkTopicName(topic: string): void {
  const problem = topicNameProblem(topic);
  if (problem !== undefined) throw new CommandProblem("USAGE", `${problem} Nothing was written.`);
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
