/** `sluice contracts export` of every topic, tested by datacontract-cli on that topic's silver table. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import * as z from "zod";
import { documents } from "../../contracts/documents/documents.generated.ts";
import { contractOf } from "../../contracts/registry.ts";
import { odcs } from "../../tools/build/contracts/odcs.ts";
import { exportContract } from "../../tools/contracts-export/export.ts";
import { writeLake } from "./parquet/lake.ts";
import type { Outcome, Subject } from "./subject.ts";

const WHO = "datacontract";
const SCRIPT = new URL("./contracts/datacontract_test.py", import.meta.url).pathname;

const run = z.object({
  result: z.string(),
  checks: z.array(
    z.object({
      name: z.string().nullable(),
      field: z.string().nullable(),
      result: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
});

export const subject: Subject = {
  name: "contracts",
  async *run(python, folder): AsyncGenerator<Outcome> {
    if (!(await python.has("datacontract"))) {
      yield { who: WHO, what: "contracts", result: "skipped", detail: 'pip install "datacontract-cli[duckdb]"' };
      return;
    }
    for (const { name, path } of await writeLake(folder)) {
      const [layer, topic = ""] = name.split(" ");
      const [contract, document] = [contractOf(topic), documents.get(topic)];
      if (layer !== "silver" || contract === undefined || document === undefined) continue;
      const file = join(folder, `${topic}.odcs.yaml`);
      writeFileSync(file, stringify(exportContract(odcs.parse(JSON.parse(document.json)), contract, path)));
      const { stdout, stderr } = await python.run([SCRIPT, file]);
      yield outcomeOf(topic, stdout, stderr);
    }
  },
};

/** Types of files are never checked by this tool, which says so as a warning; they are the reason why values are compared in parquet.ts. */
const UNCHECKED_TYPES = "Checking types in parquet files is not supported yet.";

function outcomeOf(topic: string, stdout: string, stderr: string): Outcome {
  const text = stdout.split("\n").findLast((line) => line.startsWith("{"));
  if (text === undefined) return { who: WHO, what: topic, result: "FAILED", detail: stderr.trim().slice(-500) };
  const { checks } = run.parse(JSON.parse(text));
  const wrong = checks.filter(({ result, reason }) => result !== "passed" && reason !== UNCHECKED_TYPES);
  const passed = checks.filter(({ result }) => result === "passed").length;
  if (wrong.length === 0 && passed > 0) return { who: WHO, what: topic, result: "ok", detail: `${passed} checks` };
  const detail = wrong
    .map(({ name, field, result, reason }) => `${field ?? ""} ${name}: ${result}, ${reason}`)
    .join("; ");
  return { who: WHO, what: topic, result: "FAILED", detail: detail || "no check was run" };
}
