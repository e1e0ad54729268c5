/** Reads the released schemas: `schemas/releases.json` and the `.avsc` files it lists. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { SchemaRelease } from "../../../schemas/avro-schema.ts";
import { parseYaml } from "../contracts/yaml-document.ts";
import type { BuildProblem } from "../problem.ts";
import { parseAvsc } from "./avsc.ts";

const releasesFile = z.object({
  releases: z.array(
    z.strictObject({
      id: z.int().min(100_001),
      topic: z.string(),
      version: z.int().min(1),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      retired: z.literal(true).optional(),
    }),
  ),
});

export interface LoadedSchemas {
  readonly releases: readonly SchemaRelease[];
  readonly problems: readonly BuildProblem[];
}

/** Reads and checks every release under `root/schemas`. A file that changed after its release is a problem, as is one that was never released. */
export function loadSchemas(root: string): LoadedSchemas {
  const { releases, problems, unreleased } = readReleases(root);
  const message = "is not released: `npx sluice schemas release` gives it an id in schemas/releases.json";
  return { releases, problems: [...problems, ...unreleased.map((file) => ({ file, line: undefined, message }))] };
}

/** The path of a version's schema, from the project's root. */
export function schemaFile(topic: string, version: number): string {
  return `schemas/${topic}/v${version}.avsc`;
}

/** As `loadSchemas`, with the files that no release names apart from the problems. */
export function readReleases(root: string): LoadedSchemas & { readonly unreleased: readonly string[] } {
  const file = "schemas/releases.json";
  // JSON is YAML too, and its reader says on which line something is wrong.
  const document = parseYaml(file, readFileSync(join(root, file), "utf8"));
  const parsed = releasesFile.safeParse(document.value);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => ({
      file,
      line: document.lineOf(issue.path),
      message: `${issue.path.join(".")}: ${issue.message}`,
    }));
    return { releases: [], unreleased: [], problems: document.problems.length > 0 ? document.problems : issues };
  }
  const problems: BuildProblem[] = [];
  const releases: SchemaRelease[] = [];
  const ids = new Set<number>();
  for (const entry of parsed.data.releases) {
    const path = schemaFile(entry.topic, entry.version);
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
        message: `changed after its release (digest ${digest}); restore it and release a next version instead`,
      });
    }
    const schema = parseAvsc(path, text);
    problems.push(...schema.problems);
    const { id, topic, version, retired } = entry;
    if (schema.record !== undefined)
      releases.push({ id, topic, version, schema: schema.record, ...(retired === true ? { retired } : {}) });
  }
  problems.push(...seriesProblems(parsed.data.releases));
  return { releases, problems, unreleased: unreleased(root, parsed.data.releases) };
}

// A version stays in the series for good: its rows stay in the lake, and older versions are what newer ones are checked by.
function seriesProblems(
  entries: readonly { topic: string; version: number; retired?: true | undefined }[],
): BuildProblem[] {
  const file = "schemas/releases.json";
  return [...Map.groupBy(entries, ({ topic }) => topic)].flatMap(([topic, versions]) => {
    const numbers = versions.map(({ version }) => version).sort((a, b) => a - b);
    const gap = numbers.findIndex((version, index) => version !== index + 1);
    const newest = versions.find(({ version }) => version === numbers.at(-1));
    return [
      ...(gap < 0
        ? []
        : [
            `topic ${topic} has the versions ${numbers.join(", ")}, where v${gap + 1} is due: a version is released once and stays`,
          ]),
      ...(newest?.retired === true
        ? [`v${newest.version} of topic ${topic} is its newest version: release a next one before this is retired`]
        : []),
    ].map((message) => ({ file, line: undefined, message }));
  });
}

function unreleased(root: string, entries: readonly { topic: string; version: number }[]): string[] {
  const listed = new Set(entries.map((entry) => `${entry.topic}/v${entry.version}.avsc`));
  return readdirSync(join(root, "schemas"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => readdirSync(join(root, "schemas", entry.name)).map((name) => `${entry.name}/${name}`))
    .filter((path) => path.endsWith(".avsc") && !listed.has(path))
    .map((path) => `schemas/${path}`)
    .sort();
}
