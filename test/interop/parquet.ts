/** Our Parquet in readers that we did not write: every value, filters that skip by bounds, and the order that footers promise. */
import * as z from "zod";
import { writeLake } from "./parquet/lake.ts";
import type { Outcome, Subject } from "./subject.ts";

/** Readers of `read.py`, and the Python module that each needs. */
const READERS = {
  pyarrow: "pyarrow",
  polars: "polars",
  duckdb: "duckdb",
  fastparquet: "fastparquet",
  clickhouse: "chdb",
  spark: "pyspark",
} as const;
const SCRIPT = new URL("./parquet/read.py", import.meta.url).pathname;

const line = z.object({
  file: z.string(),
  ok: z.boolean(),
  problems: z.array(z.string()),
  limits: z.array(z.string()),
});

export const subject: Subject = {
  name: "parquet",
  async *run(python, folder): AsyncGenerator<Outcome> {
    const files = await writeLake(folder);
    for (const [who, module] of Object.entries(READERS)) {
      if (!(await python.has(module))) {
        yield { who, what: "Parquet", result: "skipped", detail: `pip install ${module}` };
        continue;
      }
      const { stdout, stderr } = await python.run([
        SCRIPT,
        who,
        ...files.flatMap(({ path, expected }) => [path, expected]),
      ]);
      const results = stdout
        .split("\n")
        .flatMap((text) => (text.startsWith("{") ? [line.parse(JSON.parse(text))] : []));
      const failed = results.filter(({ ok }) => !ok);
      for (const { file, problems } of failed) {
        const name = files.find(({ path }) => path === file)?.name ?? file;
        yield { who, what: name, result: "FAILED", detail: problems.join("; ") };
      }
      const whole = results.length === files.length;
      const limits = [...new Set(results.flatMap((each) => each.limits))].join("; ");
      const detail = whole
        ? limits
        : `ended after ${results.length} of ${files.length} files: ${stderr.trim().slice(-300)}`;
      const what = `${results.length - failed.length} of ${files.length} files`;
      yield { who, what, result: whole && failed.length === 0 ? "ok" : "FAILED", detail };
    }
  },
};
