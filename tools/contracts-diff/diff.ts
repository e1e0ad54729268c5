/** What changes for producers between two sets of compiled contracts. Pure; `at-ref.ts` has the sets. */
import type { Contract } from "../../contracts/contract.ts";
import { type Change, fieldChanges } from "../../contracts/field-changes.ts";

export interface TopicChange extends Change {
  readonly topic: string;
}

/** The changes by topic; breaking ones first within each. */
export function diffContracts(before: readonly Contract[], after: readonly Contract[]): TopicChange[] {
  const topics = [...new Set([...before, ...after].map(({ topic }) => topic))].sort();
  return topics.flatMap((topic) => {
    const old = before.find((contract) => contract.topic === topic);
    const now = after.find((contract) => contract.topic === topic);
    const changes = topicChanges(old, now).map((change) => ({ topic, ...change }));
    return [...changes.filter(({ breaking }) => breaking), ...changes.filter(({ breaking }) => !breaking)];
  });
}

function topicChanges(before: Contract | undefined, after: Contract | undefined): Change[] {
  if (after === undefined) return [{ breaking: true, subject: "topic", message: "is removed" }];
  if (before === undefined) return [{ breaking: false, subject: "topic", message: "is new" }];
  const changes = [
    ...fieldChanges(before, after),
    ...ruleChanges(before, after),
    ...schemaChanges(before, after),
    ...policyChanges(before, after),
    ...settingChanges(before, after),
  ];
  if (changes.length === 0 || before.version !== after.version) return changes;
  const message = `is still ${after.version}, though the contract changed: raise it`;
  return [...changes, { breaking: false, subject: "version", message }];
}

function ruleChanges(before: Contract, after: Contract): Change[] {
  const removed = before.rules.filter(({ id }) => !after.rules.some((rule) => rule.id === id));
  return [
    ...removed.map(({ id }) => ({ breaking: false, subject: id, message: "the rule is removed" })),
    ...after.rules.flatMap(({ id, expression }) => {
      const old = before.rules.find((rule) => rule.id === id);
      if (old === undefined) return [{ breaking: true, subject: id, message: `a new rule: ${expression}` }];
      if (old.expression === expression) return [];
      return [{ breaking: true, subject: id, message: `the rule is ${expression}, was ${old.expression}` }];
    }),
  ];
}

function schemaChanges(before: Contract, after: Contract): Change[] {
  const gone = before.schemas.filter(({ id }) => !after.schemas.some((schema) => schema.id === id));
  return [
    ...gone.map(({ version }) => ({ breaking: true, subject: `schema v${version}`, message: "is removed" })),
    ...after.schemas.flatMap(({ id, version, retired }) => {
      const subject = `schema v${version}`;
      const old = before.schemas.find((schema) => schema.id === id);
      if (old === undefined)
        return [{ breaking: false, subject, message: "is new; events that name no version are judged by it" }];
      if ((old.retired === true) === (retired === true)) return [];
      return [{ breaking: retired === true, subject, message: retired === true ? "is retired" : "is taken again" }];
    }),
  ];
}

function policyChanges(before: Contract, after: Contract): Change[] {
  const changes: Change[] = [];
  if (before.unknownFields !== after.unknownFields) {
    const refused = after.unknownFields === "reject";
    changes.push({
      breaking: refused,
      subject: "unknownFields",
      message: refused ? "are refused now" : "are kept now",
    });
  }
  if (before.platformOnly !== after.platformOnly) {
    const message = after.platformOnly ? "producers cannot post any more" : "producers can post now";
    changes.push({ breaking: after.platformOnly, subject: "platformOnly", message });
  }
  for (const side of ["pastMs", "futureMs"] as const) {
    const old = before.eventTimeWindow?.[side] ?? Number.POSITIVE_INFINITY;
    const now = after.eventTimeWindow?.[side] ?? Number.POSITIVE_INFINITY;
    if (old === now) continue;
    const message = `reaches ${span(now)} into the ${side === "pastMs" ? "past" : "future"}, was ${span(old)}`;
    changes.push({ breaking: now < old, subject: "eventTimeWindow", message });
  }
  if (before.eventTime !== after.eventTime) {
    const message = `is ${after.eventTime}, was ${before.eventTime}`;
    changes.push({ breaking: after.eventTimeWindow !== null, subject: "eventTime", message });
  }
  return changes;
}

function span(milliseconds: number): string {
  if (milliseconds === Number.POSITIVE_INFINITY) return "any time";
  const units = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
  ] as const;
  const [size, unit] = units.find(([size]) => milliseconds >= size && milliseconds % size === 0) ?? [1_000, "s"];
  return `${milliseconds / size} ${unit}`;
}

/** What producers do not meet at the door, but whoever reads the tables does. */
const SETTINGS = [
  "mode",
  "dedupeKey",
  "shardKey",
  "shards",
  "partition",
  "latenessMs",
  "sla",
  "compatibility",
  "flush",
  "buildAfterMs",
  "replayWindowMs",
  "checks",
] as const satisfies readonly (keyof Contract)[];

function settingChanges(before: Contract, after: Contract): Change[] {
  return SETTINGS.flatMap((subject) => {
    const [old, now] = [JSON.stringify(before[subject]), JSON.stringify(after[subject])];
    if (old === now) return [];
    const message = subject === "checks" ? "the quality checks differ" : `is ${now}, was ${old}`;
    return [{ breaking: false, subject, message }];
  });
}

/** The lines of `sluice contracts diff`. */
export function renderDiff(changes: readonly TopicChange[]): string[] {
  const lines = [...Map.groupBy(changes, ({ topic }) => topic)].flatMap(([topic, own]) => [
    topic,
    ...own.map(({ breaking, subject, message }) => `  ${breaking ? "BREAKING" : "        "}  ${subject} ${message}`),
  ]);
  const breaking = changes.filter((change) => change.breaking).length;
  if (changes.length === 0) return ["Nothing changes."];
  return [...lines, "", `${changes.length} ${changes.length === 1 ? "change" : "changes"}, ${breaking} breaking`];
}
