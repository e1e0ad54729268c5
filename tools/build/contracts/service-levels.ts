/** The `slaProperties` of a contract as the numbers that are measured. Others of the standard inform people only. */
import type { ServiceLevels } from "../../../contracts/contract.ts";
import type { Odcs } from "./odcs.ts";

type SlaProperty = NonNullable<Odcs["slaProperties"]>[number];
type Report = (path: readonly PropertyKey[], message: string) => void;

/** The properties that are compiled. */
export const SERVICE_LEVELS = ["latency", "freshness", "retention", "completeness"] as const;

const DAY_MS = 86_400_000;

// A bare m is left out: readers take it for months as often as for minutes.
const UNITS: readonly (readonly [ms: number, names: readonly string[]])[] = [
  [1, ["ms", "millisecond", "milliseconds"]],
  [1_000, ["s", "sec", "second", "seconds"]],
  [60_000, ["min", "minute", "minutes"]],
  [3_600_000, ["h", "hr", "hour", "hours"]],
  [DAY_MS, ["d", "day", "days"]],
  [7 * DAY_MS, ["w", "week", "weeks"]],
  [365 * DAY_MS, ["y", "yr", "year", "years"]],
];
const UNIT_MS = new Map(UNITS.flatMap(([ms, names]) => names.map((name) => [name, ms] as const)));

/** Durations in milliseconds, completeness in percent. Reports what it cannot read. */
export function serviceLevels(properties: readonly SlaProperty[] | undefined, report: Report): ServiceLevels {
  const found = new Map<string, number>();
  for (const [index, entry] of (properties ?? []).entries()) {
    const { property } = entry;
    if (!SERVICE_LEVELS.some((name) => name === property)) continue;
    const at = ["slaProperties", index];
    if (found.has(property)) report(at, `${property} is stated twice: a topic has one ${property}`);
    const value = property === "completeness" ? percentOf(entry) : millisecondsOf(entry);
    if (typeof value === "string") report(at, `${property}: ${value}`);
    else found.set(property, value);
  }
  const [latency, freshness, retention, completeness] = SERVICE_LEVELS.map((name) => found.get(name));
  return {
    ...(latency === undefined ? {} : { latencyMs: latency }),
    ...(freshness === undefined ? {} : { freshnessMs: freshness }),
    ...(completeness === undefined ? {} : { completenessPercent: completeness }),
    ...(retention === undefined ? {} : { retentionMs: retention }),
  };
}

function millisecondsOf({ value, unit }: SlaProperty): number | string {
  if (typeof value !== "number" || !(value > 0))
    return `${JSON.stringify(value)} is no length of time: give a number above 0`;
  const ms = UNIT_MS.get(unit ?? "");
  if (ms !== undefined) return Math.round(value * ms);
  const names = UNITS.map(([, [name = ""]]) => name).join(", ");
  return unit === undefined ? `it needs a unit: ${names}` : `the unit "${unit}" is none of ${names}`;
}

function percentOf({ value, unit }: SlaProperty): number | string {
  if (unit !== undefined && unit !== "percent" && unit !== "%")
    return `the unit "${unit}" is not percent, which completeness is measured in`;
  if (typeof value !== "number" || !(value > 0) || value > 100)
    return `${JSON.stringify(value)} is no percentage: give a number above 0, at most 100`;
  return value;
}
