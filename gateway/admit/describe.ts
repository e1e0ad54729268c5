/**
 * The cold half of admission: every reason for which an event is refused. Walks the event again along the plan; an event
 * that the fast pass calls valid has no error here, and the other way round.
 */
import type { EventError } from "../../contracts/verdict.ts";
import { isJsonObject, type Path } from "../../schemas/event-residue.ts";
import { formatTimestamp, parseTimestamp } from "../../schemas/time.ts";
import { describeValue } from "./describe-value.ts";
import { createErrorList, type ErrorList, RULE, STRUCTURE, TIME_WINDOW, UNREADABLE } from "./error-list.ts";
import { disclose } from "./excerpt.ts";
import { isDeeperThan, loneSurrogates, MAX_UNKNOWN_DEPTH } from "./json-walk.ts";
import { knownPath } from "./known-path.ts";
import type { RecordPlan, ValuePlan } from "./plan.ts";
import type { CompiledRule } from "./record-rules.ts";
import { ruleDetail } from "./rule-evidence.ts";

/** Event times that are taken, in microseconds since the epoch, inclusive. */
export interface TimeWindow {
  readonly field: string;
  readonly earliest: number;
  readonly latest: number;
}

export interface Demands {
  readonly topic: string;
  readonly plan: RecordPlan;
  readonly unknownFields: "keep" | "reject";
  readonly rules: readonly CompiledRule[];
  /** null: any time is taken. */
  readonly window: TimeWindow | null;
}

/** All errors of an event, at most 50; empty if it is valid. Window and rules are only judged where the structure holds. */
export function describe(event: unknown, demands: Demands): EventError[] {
  const errors = createErrorList();
  if (!isJsonObject(event)) {
    const shown = disclose(event, demands.plan.pii ? "nothing" : "any");
    errors.add(STRUCTURE, "MALFORMED_PAYLOAD", "", null, () => `an event is a JSON object, this is ${shown}`);
    return errors.list();
  }
  describeRecord(event, demands.plan, [], demands, errors);
  for (const { path, inKey } of loneSurrogates(event, 50)) {
    const shown = demands.plan.pii ? knownPath(path, demands.plan) : path;
    const where = shown.length < path.length ? "an unknown field in it" : inKey ? "the key" : "the string";
    errors.add(
      STRUCTURE,
      "INVALID_FORMAT",
      shown,
      null,
      () => `${where} has a lone surrogate, which no UTF-8 can carry`,
    );
  }
  if (errors.has(STRUCTURE) || errors.has(UNREADABLE)) return errors.list();
  describeTime(event, demands, errors);
  for (const rule of demands.rules) {
    const violation = rule.violation(event);
    if (violation === null) continue;
    // Why a rule could not be evaluated may quote a value.
    const why = demands.plan.pii ? rule.description : violation;
    const detail = () => ruleDetail(why, rule.expression, rule.program.reads, event, demands.plan);
    errors.add(RULE, "RULE_VIOLATION", rule.pointer, rule.id, detail);
  }
  return errors.list();
}

function describeRecord(
  record: Readonly<Record<string, unknown>>,
  plan: RecordPlan,
  path: Path,
  demands: Demands,
  errors: ErrorList,
): void {
  for (const field of plan.fields) {
    const value = record[field.name];
    const at = [...path, field.name];
    if (value !== undefined && value !== null) describeNested(value, field.value, at, demands, errors);
    else if (field.required) {
      const found = value === null ? "is null" : "is missing";
      errors.add(STRUCTURE, "MISSING_FIELD", at, null, () => `required field ${field.name} ${found}`);
    }
  }
  let position = 0;
  for (const key of Object.keys(record)) {
    position++;
    if (plan.byName.has(key)) continue;
    const at = plan.pii ? path : [...path, key];
    const field = plan.pii ? `member ${position} of the object (unknown names are not shown in this topic): ` : "";
    if (demands.unknownFields === "reject") {
      const detail = `${field}the contract has no such field and refuses others`;
      errors.add(STRUCTURE, "UNKNOWN_FIELD", at, null, () => detail);
    } else if (isDeeperThan(record[key], MAX_UNKNOWN_DEPTH)) {
      const detail = `${field}nested deeper than ${MAX_UNKNOWN_DEPTH} levels`;
      errors.add(STRUCTURE, "MALFORMED_PAYLOAD", at, null, () => detail);
    }
  }
}

function describeNested(value: unknown, plan: ValuePlan, path: Path, demands: Demands, errors: ErrorList): void {
  if (plan.kind === "record" && isJsonObject(value)) {
    describeRecord(value, plan, path, demands, errors);
    return;
  }
  describeValue(value, plan, path, errors);
  if (plan.kind !== "array" || !Array.isArray(value)) return;
  value.forEach((item: unknown, index) => {
    describeNested(item, plan.item, [...path, index], demands, errors);
  });
}

function describeTime(event: Readonly<Record<string, unknown>>, demands: Demands, errors: ErrorList): void {
  const { window } = demands;
  const text = window === null ? undefined : event[window.field];
  if (window === null || typeof text !== "string") return;
  const micros = parseTimestamp(text);
  if (micros === undefined || (micros >= window.earliest && micros <= window.latest)) return;
  const range = `${formatTimestamp(window.earliest)} to ${formatTimestamp(window.latest)}`;
  const rule = `${demands.topic}.${window.field}.window`;
  errors.add(
    TIME_WINDOW,
    "TIMESTAMP_OUT_OF_RANGE",
    [window.field],
    rule,
    () => `expected a time from ${range}, got ${text}`,
  );
}
