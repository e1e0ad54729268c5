/** Reads the released schemas: `schemas/releases.json` and the `.avsc` files it lists. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { SchemaRelease } from "../../../schemas/avro-schema.ts";
import type { BuildProblem } from "../problem.ts";
import { buildProblemsOf, parseAvsc } from "./avsc.ts";

const releasesFile = z.object({
  releases: z.array(
    z.strictObject({
      id: z.int().min(100_001),
      topic: z.string(),
      version: z.int().min(1),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

export interface LoadedSchemas {
  readonly releases: readonly SchemaRelease[];
  readonly problems: readonly BuildProblem[];
}

/** Reads and checks every release under `root/schemas`. A file that changed after its release is a problem, as is one that was never released. */
export function loadSchemas(root: string): LoadedSchemas {
  const file = "schemas/releases.json";
  const parsed = releasesFile.safeParse(JSON.parse(readFileSync(join(root, file), "utf8")));
  if (!parsed.success) {
    return {
      releases: [],
      problems: parsed.error.issues.map((issue) => ({
        file,
        line: undefined,
        message: `${issue.path.join(".")}: ${issue.message}`,
      })),
    };
  }
  const problems: BuildProblem[] = [];
  const releases: SchemaRelease[] = [];
  const ids = new Set<number>();
  for (const entry of parsed.data.releases) {
    const path = `schemas/${entry.topic}/v${entry.version}.avsc`;
    if (ids.has(entry.id))
      problems.push({ file, line: undefined, message: `id ${entry.id} is given twice; an id is never reused` });
    ids.add(entry.id);
    if (!existsSync(join(root, path))) {
      problems.push({
        file: path,
        line: undefined,
        message: "is listed in schemas/releases.json but does not exist; a released schema stays",
      });
      continue;
    }
    const text = readFileSync(join(root, path), "utf8");
    const digest = createHash("sha256").update(text).digest("hex");
    if (digest !== entry.sha256) {
      problems.push({
        file: path,
        line: undefined,
        message: `changed after its release (digest ${digest}); restore it and release v${entry.version + 1} instead`,
      });
    }
    const schema = parseAvsc(text);
    if (!schema.ok) problems.push(...buildProblemsOf(path, schema.problems));
    else releases.push({ id: entry.id, topic: entry.topic, version: entry.version, schema: schema.record });
  }
  problems.push(...unreleased(root, parsed.data.releases));
  return { releases, problems };
}

function unreleased(root: string, entries: readonly { topic: string; version: number }[]): BuildProblem[] {
  const listed = new Set(entries.map((entry) => `${entry.topic}/v${entry.version}.avsc`));
  return readdirSync(join(root, "schemas"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => readdirSync(join(root, "schemas", entry.name)).map((name) => `${entry.name}/${name}`))
    .filter((path) => path.endsWith(".avsc") && !listed.has(path))
    .map((path) => ({
      file: `schemas/${path}`,
      line: undefined,
      message: "is not in schemas/releases.json: give it the next free id there, with its sha256",
    }));
}
