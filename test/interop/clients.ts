/** Clients that others wrote, against a platform of its own: bodies and CloudEvents, the registry, and /openapi.json. */
import { join, resolve } from "node:path";
import { buildBundle } from "../../tools/build/bundle.ts";
import { startPlatform } from "../../tools/local-platform/platform.ts";
import type { Outcome, Subject } from "./subject.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const SCRIPTS = join(import.meta.dirname, "clients");

interface Check {
  readonly who: string;
  readonly what: string;
  readonly modules: readonly string[];
  readonly command: (url: string, key: string) => readonly string[];
}

/**
 * `positive_data_acceptance` is not among them: a topic, an id or a cursor that nobody made is allowed by the document and
 * answered as one that does not exist; `unit/gateway/openapi/parameters.test.ts` asks for the rest of it.
 */
const SCHEMATHESIS_CHECKS =
  "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection";

const CHECKS: readonly Check[] = [
  {
    who: "fastavro, avro, cloudevents",
    what: "bodies",
    modules: ["fastavro", "avro", "cloudevents", "snappy", "zstandard"],
    command: (url, key) => [join(SCRIPTS, "bodies.py"), url, key],
  },
  {
    who: "confluent-kafka",
    what: "registry",
    modules: ["confluent_kafka", "authlib"],
    command: (url, key) => [join(SCRIPTS, "registry.py"), url, key],
  },
  {
    who: "schemathesis",
    what: "/openapi.json",
    modules: ["schemathesis"],
    command: (url, key) => [
      ...["-m", "schemathesis.cli", "run", `${url}/openapi.json`, "--header", `Authorization: Bearer ${key}`],
      ...["--phases", "examples,coverage,fuzzing", "--max-examples", process.env["EXAMPLES"] ?? "10", "--seed", "1"],
      ...["--checks", SCHEMATHESIS_CHECKS, "--generation-database", "none"],
    ],
  },
];

export const subject: Subject = {
  name: "clients",
  async *run(python, folder): AsyncGenerator<Outcome> {
    const bundle = await buildBundle({ root: ROOT, outdir: "dist" });
    const stateDir = join(folder, "state");
    const platform = await startPlatform({ root: ROOT, bundle, stateDir, port: 0, crons: "manual" });
    try {
      for (const { who, what, modules, command } of CHECKS) {
        const missing: string[] = [];
        for (const module of modules) if (!(await python.has(module))) missing.push(module);
        if (missing.length > 0) {
          const detail = `no ${missing.join(", ")}: pip install -r test/interop/requirements.txt`;
          yield { who, what, result: "skipped", detail };
          continue;
        }
        const { code, stdout, stderr } = await python.run(command(platform.url, platform.apiKey), { cwd: folder });
        const detail = code === 0 ? "" : (stderr.trim() || stdout.trim()).slice(-4_000);
        yield { who, what, result: code === 0 ? "ok" : "FAILED", detail };
      }
    } finally {
      await platform.stop();
    }
  },
};
