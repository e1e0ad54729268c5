/**
 * A strict reader of the Prometheus text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/), written
 * from its description and not from the writer. Besides the grammar it holds the text to what `promtool check metrics` and
 * the server demand: one group per name, no series twice, counters named so, histograms whole and cumulative.
 */

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricGroup {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly series: Series[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const HELP = new RegExp(`^# HELP (${NAME}) (.*)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;
const VALUE = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;

/** The groups by name. Throws for a text that breaks any rule, with the line. */
export function readPrometheusText(text: string): Map<string, MetricGroup> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const groups = new Map<string, MetricGroup>();
  let help: { readonly name: string; readonly text: string } | undefined;
  let group: MetricGroup | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    if (line.startsWith("# HELP ")) {
      const [, name = "", described = ""] = HELP.exec(line) ?? refuse("not a HELP line", line);
      if (/\\(?![\\n])/.test(described.replaceAll("\\\\", ""))) refuse("a bad escape in HELP", line);
      if (groups.has(name)) refuse("a second group of this name", line);
      help = { name, text: described };
      group = undefined;
    } else if (line.startsWith("# TYPE ")) {
      const [, name = "", type = ""] = TYPE.exec(line) ?? refuse("not a TYPE line", line);
      if (help?.name !== name) refuse("TYPE does not follow its HELP", line);
      if ((type === "counter") !== name.endsWith("_total"))
        refuse("a counter ends in _total, and nothing else does", line);
      group = { name, help: help?.text ?? "", type, series: [] };
      groups.set(name, group);
    } else {
      if (group === undefined) return refuse("a sample without HELP and TYPE", line);
      group.series.push(readSample(line, group));
    }
  }
  for (const each of groups.values()) checkGroup(each);
  return groups;
}

function readSample(line: string, group: MetricGroup): Series {
  const [, name = "", inside = "", number = ""] = SAMPLE.exec(line) ?? refuse("not a sample", line);
  const suffixes = group.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (!suffixes.some((suffix) => name === `${group.name}${suffix}`)) refuse(`not of the group ${group.name}`, line);
  if (!VALUE.test(number)) refuse("not a number", line);
  const labels: Record<string, string> = {};
  for (let rest = inside; rest !== ""; ) {
    const [whole, label = "", value = ""] = LABEL.exec(rest) ?? refuse("not a label", line);
    if (Object.hasOwn(labels, label)) refuse("a label twice", line);
    labels[label] = value.replaceAll(/\\(.)/g, (_, escaped) => (escaped === "n" ? "\n" : escaped));
    rest = rest.slice(whole?.length ?? 0);
  }
  if (Object.hasOwn(labels, "le") !== name.endsWith("_bucket")) refuse("le belongs to buckets", line);
  return { name, labels, value: numberOf(number) };
}

function numberOf(text: string): number {
  return text.endsWith("Inf") ? Number(text.replace("Inf", "Infinity")) : Number(text);
}

function checkGroup({ name, type, series }: MetricGroup): void {
  if (series.length === 0) refuse("a group without samples", name);
  const seen = new Set<string>();
  for (const each of series) {
    const identity = keyOf(each);
    if (seen.has(identity)) refuse("a series twice", identity);
    seen.add(identity);
    const counts = type === "counter" || type === "histogram";
    if (counts && !(Number.isFinite(each.value) && each.value >= 0)) refuse("a count below 0", identity);
  }
  if (type === "histogram") checkHistogram(name, series);
}

function checkHistogram(name: string, series: readonly Series[]): void {
  const ofOne = Map.groupBy(series, ({ labels: { le: _, ...labels } }) => JSON.stringify(labels));
  for (const [labels, own] of ofOne) {
    const buckets = own.filter((each) => each.name === `${name}_bucket`);
    const bounds = buckets.map((each) => numberOf(each.labels["le"] ?? ""));
    if (bounds.some((bound, i) => i > 0 && !(bound > (bounds[i - 1] ?? 0)))) refuse("bounds do not ascend", labels);
    if (buckets.some((each, i) => i > 0 && each.value < (buckets[i - 1]?.value ?? 0))) refuse("not cumulative", labels);
    const count = own.filter((each) => each.name === `${name}_count`);
    if (count.length !== 1 || own.filter((each) => each.name === `${name}_sum`).length !== 1)
      refuse("no count or sum", labels);
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || buckets.at(-1)?.value !== count[0]?.value) {
      refuse("+Inf is not the count", labels);
    }
  }
}

function keyOf({ name, labels }: Series): string {
  return `${name}${JSON.stringify(Object.entries(labels).sort())}`;
}

/** A series' value by some of its labels; undefined if there is none. */
export function seriesValue(
  groups: ReadonlyMap<string, MetricGroup>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  for (const group of groups.values()) {
    const found = group.series.find(
      (each) => each.name === name && Object.entries(labels).every(([label, text]) => each.labels[label] === text),
    );
    if (found !== undefined) return found.value;
  }
  return undefined;
}

function refuse(problem: string, where: string): never {
  throw new Error(`${problem}: ${where}`);
}
