/** `sluice contracts`: what a change of contracts would mean, before it is released. */
import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { stringify } from "yaml";
import { documents } from "../../contracts/documents/documents.generated.ts";
import { contractOf } from "../../contracts/registry.ts";
import type { SchemaRelease } from "../../schemas/avro-schema.ts";
import { compileContracts } from "../build/compile.ts";
import { compileContract } from "../build/contracts/compile.ts";
import { odcs } from "../build/contracts/odcs.ts";
import { type BuildProblem, renderProblem } from "../build/problem.ts";
import { parseAvsc } from "../build/schemas/avsc.ts";
import { loadSchemas } from "../build/schemas/load.ts";
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { contractsAtRef } from "../contracts-diff/at-ref.ts";
import { diffContracts, renderDiff } from "../contracts-diff/diff.ts";
import { exportContract } from "../contracts-export/export.ts";
import type { Proposal } from "../contracts-trial/judge.ts";
import { renderTrial } from "../contracts-trial/report.ts";
import { tryContract } from "../contracts-trial/trial.ts";
import { openSource } from "../lake/source.ts";
import { stateFolder } from "../local-platform/state.ts";
import { createProgressBar } from "../progress.ts";
import type { Command } from "./command.ts";

const ROOT = resolve(import.meta.dirname, "../..");

const HELP = `sluice contracts diff --against REF [--fail-on-breaking] [--format json]
sluice contracts try --contract FILE [--topic T] [--last 1d] [flags]
sluice contracts export TOPIC [--data PATTERN] > FILE

  diff      says what the contracts and schemas of this folder change for producers, against a commit of git;
            BREAKING: events that were accepted may be refused, or a masked field shows more than before.
            New schemas count once they are released
  try       judges recent events of the local lake, and dead letters, by a proposed contract: how many would pass
            or fail, and why. Nothing is stored
  export    prints the contract as a description of the topic's silver table for other tools, such as datacontract
            test: stored types, checks that hold for every published row, and where the Parquet files are

  --against REF           a commit, branch or tag
  --fail-on-breaking      exit code 1 if anything breaks
  --contract FILE         the proposed contract
  --topic T               its topic, to be sure
  --schema FILE           a schema that is not released yet: every event is judged by it (else each by its own version)
  --last PERIOD           events received in the last 30m, 6h, 7d (1d)
  --max-new-failures N    exit code 1 if more accepted events would be refused
  --data PATTERN          the table's files (silver/TOPIC/*/*.parquet, in a copy of the bucket)
  --state DIR             the platform's state (.sluice)
  --format F              text or json`;

export const command: Command = {
  summary: "says what changed contracts would mean for producers and for recent events",
  help: HELP,
  async run(argv) {
    const { values, positionals } = parseCommandLine(argv, {
      allowPositionals: true,
      options: {
        against: { type: "string" },
        "fail-on-breaking": { type: "boolean", default: false },
        contract: { type: "string" },
        topic: { type: "string" },
        schema: { type: "string" },
        last: { type: "string", default: "1d" },
        "max-new-failures": { type: "string" },
        state: { type: "string", default: ".sluice" },
        format: { type: "string", default: "text" },
        data: { type: "string" },
      },
    });
    const { against, contract, format } = values;
    if (format !== "text" && format !== "json") throw usage(`--format is text or json, not "${format}".`);
    const [action, ...rest] = positionals;
    if (action === "export") return console.log(exported(rest, values.data));
    if (rest.length > 0) throw usage("sluice contracts takes diff, try or export.");
    if (action === "diff") {
      if (against === undefined) throw usage("sluice contracts diff needs --against, such as --against main.");
      return diff(against, values["fail-on-breaking"], format);
    }
    if (action !== "try") throw usage("sluice contracts takes diff, try or export.");
    if (contract === undefined) throw usage("sluice contracts try needs --contract FILE.");
    const limit = values["max-new-failures"];
    const proposal = readProposal(contract, values.topic, values.schema);
    const stored = contractOf(proposal.contract.topic);
    if (stored === undefined)
      throw usage(`There is no topic ${proposal.contract.topic} yet: nothing is stored that could be judged.`);
    const most = limit === undefined ? null : integerFlag("max-new-failures", limit, 0, 1_000_000_000);
    const since = (Date.now() - milliseconds(values.last)) * 1_000;

    const source = await openSource(stateFolder(resolve(ROOT, values.state)));
    try {
      let bar: ReturnType<typeof createProgressBar> | undefined;
      const onProgress = (rows: number, total: number): void => {
        bar ??= createProgressBar("judging", total);
        bar.update(rows, `${rows} of ${total} rows`);
      };
      const report = await tryContract({ source, proposal, stored, since, onProgress });
      bar?.finish();
      console.log(format === "json" ? JSON.stringify(report, null, 2) : renderTrial(report).join("\n"));
      if (most !== null && report.accepted.new_failures > most) {
        console.error(`${report.accepted.new_failures} new failures: more than the ${most} that are allowed.`);
        process.exitCode = 1;
      }
    } finally {
      await source.close();
    }
  },
};

function diff(against: string, failOnBreaking: boolean, format: "text" | "json"): void {
  const before = contractsAtRef(ROOT, against);
  refuse(before.problems, `The contracts at ${against} do not compile.`);
  const after = compileContracts(ROOT);
  refuse(after.problems, "The contracts of this folder do not compile.");
  const changes = diffContracts(before.contracts, after.contracts);
  const breaking = changes.some((change) => change.breaking);
  if (format === "json") console.log(JSON.stringify({ against, breaking, changes }, null, 2));
  else console.log(renderDiff(changes).join("\n"));
  if (breaking && failOnBreaking) process.exitCode = 1;
}

/** The proposed contract, compiled. A schema that is not released becomes the topic's next version. */
/** The YAML of a topic's contract for other tools. Throws CommandProblem (USAGE) unless `topics` names one that there is. */
function exported(topics: readonly string[], data: string | undefined): string {
  const [topic, ...others] = topics;
  if (topic === undefined || others.length > 0) throw usage("sluice contracts export takes one topic.");
  const [contract, document] = [contractOf(topic), documents.get(topic)];
  if (contract === undefined || document === undefined)
    throw usage(`There is no topic ${topic}. There are: ${[...documents.keys()].join(", ")}.`);
  const pattern = data ?? `silver/${topic}/*/*.parquet`;
  return stringify(exportContract(odcs.parse(JSON.parse(document.json)), contract, pattern)).trimEnd();
}

function readProposal(file: string, topic: string | undefined, schemaFile: string | undefined): Proposal {
  const { releases: released, problems } = loadSchemas(ROOT);
  // A schema file in its place that is not released yet may be the one that is tried.
  if (schemaFile === undefined) refuse(problems, "The schemas do not compile.");
  const text = read("contract", file);
  const first = compileContract({ file, text }, released);
  const name = first.ok ? first.contract.topic : (topic ?? topicIn(text));
  const candidate = schemaFile === undefined ? null : candidateOf(schemaFile, name, released);
  const releases = candidate === null ? released : [...released, candidate];
  const compiled = compileContract({ file, text }, releases);
  if (!compiled.ok) throw refusal(compiled.problems, "The proposed contract does not compile.");
  const { contract } = compiled;
  if (topic !== undefined && topic !== contract.topic)
    throw usage(`${file} is the contract of topic ${contract.topic}, not of ${topic}.`);
  const own = contract.schemas.flatMap(({ id }) => releases.filter((release) => release.id === id));
  return { contract, releases: own, version: candidate?.version ?? null };
}

function topicIn(text: string): string {
  return /^\s*- name: ([a-z][a-z0-9_]*)\s*$/m.exec(text)?.[1] ?? "";
}

function candidateOf(file: string, topic: string, releases: readonly SchemaRelease[]): SchemaRelease {
  const { record, problems } = parseAvsc(file, read("schema", file));
  if (record === undefined || problems.length > 0) throw refusal(problems, "The schema does not compile.");
  const version = Math.max(0, ...releases.filter((release) => release.topic === topic).map((each) => each.version)) + 1;
  const id = Math.max(100_000, ...releases.map((release) => release.id)) + 1;
  return { id, topic, version, schema: record };
}

function read(flag: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CommandProblem("USAGE", `--${flag}: there is no file ${relative(".", file)}.`, { cause: error });
  }
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function milliseconds(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined)
    throw usage(`--last takes a period such as 30m, 6h or 7d, not "${text}".`);
  return Number(count) * (UNITS[unit] ?? 0);
}

function refuse(problems: readonly BuildProblem[], message: string): void {
  if (problems.length > 0) throw refusal(problems, message);
}

function refusal(problems: readonly BuildProblem[], message: string): CommandProblem {
  return new CommandProblem("CONTRACTS_REFUSED", `${problems.map(renderProblem).join("\n")}\n\n${message}`);
}

function usage(message: string): CommandProblem {
  return new CommandProblem("USAGE", `${message} --help says more.`);
}
