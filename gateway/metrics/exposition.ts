/** The Prometheus text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format. Pure. */

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

/** Cumulative counts by upper bound, ascending, without +Inf. */
export interface HistogramSample {
  readonly labels?: Labels;
  readonly buckets: readonly (readonly [le: number, count: number])[];
  readonly count: number;
  readonly sum: number;
}

/** All samples of one name. */
export type Family = { readonly name: string; readonly help: string } & (
  | { readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] }
  | { readonly type: "histogram"; readonly samples: readonly HistogramSample[] }
);

/** The text of families; one without samples is left out. */
export function exposition(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map((family) => {
      const { name, help, type } = family;
      const lines =
        family.type === "histogram" ? histogramLines(name, family.samples) : sampleLines(name, family.samples);
      const described = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
      return `# HELP ${name} ${described}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    })
    .join("");
}

function sampleLines(name: string, samples: readonly Sample[]): string[] {
  return samples.map(({ labels = {}, value }) => line(name, labels, value));
}

function histogramLines(name: string, samples: readonly HistogramSample[]): string[] {
  return samples.flatMap(({ labels = {}, buckets, count, sum }) => [
    ...buckets.map(([le, within]) => line(`${name}_bucket`, { ...labels, le: numberOf(le) }, within)),
    line(`${name}_bucket`, { ...labels, le: "+Inf" }, count),
    line(`${name}_sum`, labels, sum),
    line(`${name}_count`, labels, count),
  ]);
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${numberOf(value)}\n`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** As Go's ParseFloat reads it. */
function numberOf(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
