/** What a builder is started with. `sluice builder` makes it of flags. */
export interface BuilderOptions {
  readonly url: string;
  readonly key: string;
  /** For people: stands with the partition that it builds. */
  readonly name: string;
  /** What DuckDB may hold in memory; the process takes some 150 MB more. */
  readonly memoryBytes: number;
  readonly threads: number;
  /** Inputs, spilled data and outputs stand there. It is this process's alone. */
  readonly dir: string;
  /** Inputs of earlier builds are kept up to so many bytes. What one build needs is there, whatever this says. */
  readonly cacheBytes: number;
  /** Ends when nothing waits, in place of asking again. */
  readonly once: boolean;
}

/** DuckDB's own needs: with less not even an empty query runs. */
export const LEAST_MEMORY_BYTES = 128_000_000;

const UNITS: Readonly<Record<string, number>> = {
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** The bytes of a text such as `2GB`, `512MB` or `1.5GiB`; undefined for what is none. */
export function bytesOf(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([kmgt]i?b)$/i.exec(text.trim()) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  return factor === undefined ? undefined : Math.round(Number(digits) * factor);
}
