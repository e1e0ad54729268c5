/** `sluice new-topic`: the files of a new topic, from templates. Works on the project's files, not on a platform. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import type { Command } from "./command.ts";
import { checkTopicIsNew, checkTopicName } from "./new-topic/name.ts";
import { type TopicFile, topicFiles } from "./new-topic/templates.ts";

const ROOT = resolve(import.meta.dirname, "../..");

const HELP = `sluice new-topic NAME [--dry-run]

  Writes contracts/NAME.yaml, schemas/NAME/v1.avsc and sql/gold/daily_NAME.sql from templates that are valid as they
  stand. Lines with FILL say what to replace. The schema is not released: until then it may change, and nothing else
  compiles. Refuses a name that is taken or cannot be a topic's.

  --dry-run   shows the files and writes nothing

docs/new-domain.md walks through an example.`;

export const command: Command = {
  summary: "writes contract, schema and gold model of a new topic from a template",
  help: HELP,
  async run(argv) {
    const { values, positionals } = parseCommandLine(argv, {
      options: { "dry-run": { type: "boolean", default: false } },
      allowPositionals: true,
    });
    const [topic, ...rest] = positionals;
    if (topic === undefined || rest.length > 0) {
      throw new CommandProblem("USAGE", "sluice new-topic takes one name, such as delivery_routes; --help says more.");
    }
    const files = planTopic(ROOT, topic);
    if (values["dry-run"]) {
      for (const { path, text } of files) console.log(`---- ${path}\n${text}`);
      console.log("Nothing was written (--dry-run).");
      return;
    }
    writeTopic(ROOT, files);
    for (const { path } of files) console.log(`wrote ${path}`);
    console.log(nextSteps(files));
  },
};

/** What `sluice new-topic` would write under `root`. Throws CommandProblem: USAGE for the name, TOPIC_EXISTS for what is there. */
export function planTopic(root: string, topic: string): readonly TopicFile[] {
  checkTopicName(topic);
  const files = topicFiles(topic);
  checkTopicIsNew(
    root,
    topic,
    files.map(({ path }) => path),
  );
  return files;
}

/** Writes the files of a plan; one that came into being since is not overwritten (EEXIST). */
export function writeTopic(root: string, files: readonly TopicFile[]): void {
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { flag: "wx" });
  }
}

function nextSteps(files: readonly TopicFile[]): string {
  return `
Next:
  1. replace what the lines with FILL say:  grep -n FILL ${files.map(({ path }) => path).join(" ")}
  2. npx sluice schemas release    checks schema and contract, and gives the schema its id; it never changes after that
  3. npm run wrangler:sync         compiles, and gives the topic its queues in wrangler.toml
  4. npm run types                 the types of their bindings
  5. npm run dev                   the platform, with the topic`;
}
