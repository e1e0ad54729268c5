/**
 * `contracts/<topic>.yaml` to `Contract`. Pure: texts in, contracts and problems out. Each problem names file and line,
 * says what is wrong and what to do; all problems of a file are reported together.
 */
import type { Contract } from "../../../contracts/contract.ts";
import { planProblems } from "../../../gateway/admit/plan-limits.ts";
import type { SchemaRelease } from "../../../schemas/avro-schema.ts";
import { DEPLOYED_BATCH_SECONDS } from "../batch-wait.ts";
import type { BuildProblem } from "../problem.ts";
import { compareWithAvro, inEveryVersion } from "./agreement.ts";
import { type CheckSource, contractChecks } from "./checks.ts";
import { exampleProblems } from "./examples.ts";
import { fieldRule } from "./field-rules.ts";
import { formatsAgainstSchema } from "./format-agreement.ts";
import { checkMasking } from "./masking.ts";
import { type Extensions, extensions, type Odcs, odcs } from "./odcs.ts";
import { checkPatterns } from "./patterns.ts";
import { compileRecordRules } from "./rules/record-rules.ts";
import { serviceLevels } from "./service-levels.ts";
import { parseYaml } from "./yaml-document.ts";

export interface ContractSource {
  readonly file: string;
  readonly text: string;
}

export type Compiled =
  | {
      readonly ok: true;
      readonly contract: Contract;
      /** The contract's checks with their places, in the contract's order. */
      readonly checks: readonly CheckSource[];
    }
  | { readonly ok: false; readonly problems: readonly BuildProblem[] };

export function compileContract(source: ContractSource, releases: readonly SchemaRelease[]): Compiled {
  const document = parseYaml(source.file, source.text);
  if (document.problems.length > 0) return { ok: false, problems: document.problems };
  const problems: BuildProblem[] = [];
  const report = (path: readonly PropertyKey[], message: string): void => {
    problems.push({ file: source.file, line: document.lineOf(path), message });
  };

  const parsed = odcs.safeParse(document.value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues)
      report(issue.path, `${issue.path.join(".") || "contract"}: ${issue.message}`);
    return { ok: false, problems };
  }
  const extended = extensions.safeParse(extensionValues(parsed.data));
  if (!extended.success) {
    const entries = parsed.data.customProperties ?? [];
    for (const issue of extended.error.issues) {
      if (issue.code === "unrecognized_keys" && issue.path.length === 0) {
        for (const key of issue.keys) {
          const known = Object.keys(extensions.shape).join(", ");
          const index = entries.findIndex(({ property }) => property === key);
          report(["customProperties", index], `there is no custom property "${key}"; there are ${known}`);
        }
        continue;
      }
      const index = entries.findIndex((entry) => entry.property === issue.path[0]);
      const path = index < 0 ? ["customProperties"] : ["customProperties", index, "value", ...issue.path.slice(1)];
      report(path, `customProperties ${issue.path.join(".")}: ${issue.message}`);
    }
    return { ok: false, problems };
  }

  const checks = contractChecks(parsed.data.schema[0], { file: source.file, document, report });
  const described = assemble(parsed.data, extended.data, releases, report, checks);
  const index = (parsed.data.customProperties ?? []).findIndex((entry) => entry.property === "rules");
  const rules = compileRecordRules(
    extended.data.rules,
    inEveryVersion(described, releases),
    (position, property, line, message) => {
      const path = ["customProperties", index, "value", position, property];
      problems.push({ file: source.file, line: document.lineInText(path, line), message });
    },
  );
  const contract: Contract = { ...described, rules };
  checkReferences(contract, report);
  checkMasking(contract, parsed.data.schema[0].properties, report);
  checkPatterns(parsed.data.schema[0].properties, ["schema", 0, "properties"], report);
  const versions = contract.schemas.flatMap(({ id }) => releases.filter((release) => release.id === id));
  for (const { path, message, version } of compareWithAvro(contract, versions)) {
    report(["schema", 0, "properties", ...path], `${message} (schemas/${contract.topic}/v${version}.avsc)`);
  }
  const newest = versions.at(-1);
  if (newest !== undefined) {
    for (const { path, message } of formatsAgainstSchema(parsed.data.schema[0].properties, newest.schema))
      report(["schema", 0, "properties", ...path], `${message} (schemas/${contract.topic}/v${newest.version}.avsc)`);
  }
  if (contract.schemas.length === 0) {
    report(
      ["schema", 0, "name"],
      `no schema is released for topic ${contract.topic}: fill schemas/${contract.topic}/v1.avsc, then \`npx sluice schemas release\``,
    );
  }
  checkWindow(contract, parsed.data, report);
  checkPromises(contract, parsed.data, report);
  // A schema that no admission can be made of is refused with its own file and line.
  if (newest !== undefined && problems.length === 0 && planProblems(newest.schema).length === 0) {
    for (const found of exampleProblems(contract, newest)) {
      const path =
        "rule" in found
          ? ["customProperties", index, "value", contract.rules.findIndex(({ id }) => id === found.rule)]
          : ["schema", 0, "properties", ...found.path];
      report(path, found.message);
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, contract, checks };
}

function extensionValues(contract: Odcs): Record<string, unknown> {
  return Object.fromEntries((contract.customProperties ?? []).map((entry) => [entry.property, entry.value]));
}

function assemble(
  contract: Odcs,
  extension: Extensions,
  releases: readonly SchemaRelease[],
  report: Report,
  checks: readonly CheckSource[],
): Omit<Contract, "rules"> {
  const table = contract.schema[0];
  const primaryKey = table.properties
    .filter((property) => property.primaryKey === true)
    .sort((a, b) => (a.primaryKeyPosition ?? 0) - (b.primaryKeyPosition ?? 0))
    .map((property) => property.name);
  const dedupeKey = extension.dedupeKey ?? primaryKey;
  return {
    topic: table.name,
    version: contract.version,
    description: contract.description?.purpose ?? table.description ?? "",
    domain: contract.domain ?? "",
    platformOnly: extension.platformOnly,
    mode: extension.mode,
    dedupeKey,
    shardKey: extension.shardKey ?? dedupeKey,
    shards: extension.shards,
    eventTime: extension.eventTime,
    eventTimeWindow:
      extension.eventTimeWindow === undefined
        ? null
        : { pastMs: extension.eventTimeWindow.past, futureMs: extension.eventTimeWindow.future },
    latenessMs: extension.lateness,
    partition: extension.partition,
    unknownFields: extension.unknownFields,
    compatibility: extension.compatibility,
    flush: { bytes: extension.flush.bytes, rows: extension.flush.rows, ageMs: extension.flush.age },
    buildAfterMs: extension.buildAfter,
    replayWindowMs: extension.replayWindow,
    sla: serviceLevels(contract.slaProperties, report),
    fields: table.properties.map(fieldRule),
    checks: checks.map(({ check }) => check),
    schemas: releases
      .filter((release) => release.topic === table.name)
      .sort((a, b) => a.version - b.version)
      .map(({ id, version, retired }) => ({ id, version, ...(retired === true ? { retired } : {}) })),
  };
}

type Report = (path: readonly PropertyKey[], message: string) => void;

const DAY_MS = 86_400_000;

/** A date whose bronze is gone cannot be built again (docs/operations.md, Retention): its events end in quarantine. */
function checkWindow({ eventTimeWindow: window, partition, sla }: Contract, source: Odcs, report: Report): void {
  if (window === null) return;
  const at = (source.customProperties ?? []).findIndex(({ property }) => property === "eventTimeWindow");
  const path = ["customProperties", at, "value", "past"];
  if (window.pastMs + window.futureMs === 0) report(path, "this eventTimeWindow takes no event: give past a length");
  if (partition.source !== "event" || sla.retentionMs === undefined || window.pastMs <= sla.retentionMs) return;
  const days = (milliseconds: number) => `${Math.round((milliseconds / DAY_MS) * 100) / 100} d`;
  const kept = `slaProperties keep the bronze of a date for ${days(sla.retentionMs)} (retention)`;
  const fix = "leave retention out, raise it to that, shorten past, or partition by the time received";
  report(
    path,
    `events of up to ${days(window.pastMs)} ago are taken, but ${kept}, and older ones end in quarantine: ${fix}`,
  );
}

/** A promise that the contract's own waiting breaks would be an alert every day. */
function checkPromises({ sla, flush, buildAfterMs }: Contract, source: Odcs, report: Report): void {
  const seconds = (milliseconds: number) => `${milliseconds / 1_000} s`;
  const refuse = (property: string, promised: number | undefined, least: number, why: string): void => {
    if (promised === undefined || promised > least) return;
    const at = (source.slaProperties ?? []).findIndex((entry) => entry.property === property);
    const message = `${property} promises ${seconds(promised)}, but ${why}: promise more than ${seconds(least)}, or shorten them`;
    report(["slaProperties", at, "value"], message);
  };
  const queued = `events wait ${DEPLOYED_BATCH_SECONDS} s for a batch of their queue`;
  const leastMs = DEPLOYED_BATCH_SECONDS * 1_000 + flush.ageMs;
  const flushed = `${seconds(flush.ageMs)} for a flush (flush.age)`;
  refuse("latency", sla.latencyMs, leastMs, `${queued} and ${flushed}`);
  const built = `${queued}, ${flushed} and their rows ${seconds(buildAfterMs)} for a build (buildAfter)`;
  refuse("freshness", sla.freshnessMs, leastMs + buildAfterMs, built);
}

function checkReferences(contract: Contract, report: Report): void {
  const names = contract.fields.map((field) => field.name);
  const known = (name: string, what: string): void => {
    if (!names.includes(name)) {
      report(
        ["customProperties"],
        `${what} names the field "${name}", which the contract does not have; it has ${names.join(", ")}`,
      );
    }
  };
  if (contract.dedupeKey.length === 0) {
    report(
      ["schema", 0, "properties"],
      "no dedupe key: mark a field primaryKey: true, or give customProperties dedupeKey",
    );
  }
  for (const name of contract.dedupeKey) known(name, "dedupeKey");
  for (const name of contract.shardKey) known(name, "shardKey");
  known(contract.eventTime, "eventTime");
  if (names.includes(contract.partition.column)) {
    const message = `the partition column "${contract.partition.column}" is also a field: a table has one column of a name, so call it otherwise`;
    report(["customProperties"], message);
  }
  const time = contract.fields.find((field) => field.name === contract.eventTime);
  if (time !== undefined && (time.kind !== "timestamp" || !time.required)) {
    report(
      ["customProperties"],
      `eventTime "${contract.eventTime}" must be a required field with logicalType timestamp`,
    );
  }
  for (const name of [...contract.dedupeKey, ...contract.shardKey]) {
    const field = contract.fields.find((candidate) => candidate.name === name);
    if (field !== undefined && (!field.required || field.kind === "object" || field.kind === "array")) {
      report(["customProperties"], `key field "${name}" must be required and not nested`);
    }
  }
}
