/** `sluice schemas`: the versions of every topic's schema, and the release of new ones. Works on the project's files, not on a platform. */
import { resolve } from "node:path";
import { type BuildProblem, renderProblem } from "../build/problem.ts";
import { releaseCandidates, reviewSchemas, type SchemaReview, type TopicSchemas } from "../build/schemas/release.ts";
import { unfilledProblems } from "../build/schemas/unfilled.ts";
import { parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import type { Command } from "./command.ts";

const ROOT = resolve(import.meta.dirname, "../..");

const HELP = `sluice schemas check|release

  check     shows the versions of every topic and holds them, and files that are not released yet, against each
            other as the contract's compatibility demands (customProperties: compatibility, else FULL_TRANSITIVE)
  release   does the same, then gives every new schemas/<topic>/v<N>.avsc its id and digest in schemas/releases.json;
            refuses if anything is wrong, or if a line of a template still says FILL in the contract, the schema or a
            model of the topic. A released file never changes again.`;

export const command: Command = {
  summary: "checks schema versions for compatibility and releases new ones",
  help: HELP,
  async run(argv) {
    const { positionals } = parseCommandLine(argv, { options: {}, allowPositionals: true });
    const [action, ...rest] = positionals;
    if ((action !== "check" && action !== "release") || rest.length > 0) {
      throw new CommandProblem("USAGE", "sluice schemas takes one word, check or release; --help says more.");
    }
    const review = reviewSchemas(ROOT);
    if (action === "check") for (const topic of review.topics) console.log(lineOf(topic));
    refuse(review.problems);
    if (action === "check") return;
    refuse(unfilledProblems(ROOT, review.topics));
    release(review);
  },
};

function release(review: SchemaReview): void {
  const released = releaseCandidates(ROOT, review);
  for (const { file, id } of released) console.log(`${file} is released with id ${id}`);
  if (released.length === 0) console.log("Nothing to release: every schema file has its id.");
  else if (review.topics.some(({ released: before, candidates }) => before.length === 0 && candidates.length > 0)) {
    console.log("Next: npm run wrangler:sync (a new topic needs its queues), then npm run types.");
  } else console.log("Describe new fields in the contract, raise its version, and run npm run compile.");
}

function lineOf({ topic, mode, released, candidates }: TopicSchemas): string {
  const versions = [
    ...released.map(({ version, retired }) => `v${version}${retired ? " (retired)" : ""}`),
    ...candidates.map(({ version }) => `v${version} (not released)`),
  ];
  return `${topic.padEnd(20)}${mode.padEnd(21)}${versions.join(", ")}`;
}

function refuse(problems: readonly BuildProblem[]): void {
  if (problems.length === 0) return;
  const count = `${problems.length} problem${problems.length === 1 ? "" : "s"}`;
  throw new CommandProblem(
    "SCHEMAS_REFUSED",
    `${problems.map(renderProblem).join("\n")}\n\n${count}: nothing was released.`,
  );
}
