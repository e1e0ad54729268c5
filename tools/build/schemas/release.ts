/** The release of schema versions: new `.avsc` files get their ids and digests in `schemas/releases.json`. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { COMPATIBILITY_MODES, type CompatibilityMode } from "../../../schemas/compatibility/modes.ts";
import { compileContract } from "../contracts/compile.ts";
import { parseYaml } from "../contracts/yaml-document.ts";
import type { BuildProblem } from "../problem.ts";
import { planProblemsOf } from "./admission.ts";
import { parseAvsc } from "./avsc.ts";
import { evolutionProblems, type TopicVersion } from "./evolution.ts";
import { readReleases } from "./load.ts";

/** A version that is not released yet. */
export interface Candidate extends TopicVersion {
  readonly file: string;
  readonly sha256: string;
}

export interface TopicSchemas {
  readonly topic: string;
  readonly mode: CompatibilityMode;
  /** Released ones, oldest first. */
  readonly released: readonly { readonly version: number; readonly id: number; readonly retired: boolean }[];
  readonly candidates: readonly Candidate[];
}

export interface SchemaReview {
  readonly topics: readonly TopicSchemas[];
  readonly problems: readonly BuildProblem[];
}

const FIRST_ID = 100_001;
const VERSION_FILE = /^schemas\/([a-z][a-z0-9_]*)\/v([1-9]\d*)\.avsc$/;

/** Everything under `root/schemas`, released or not, checked as a build would check it once the candidates were released. */
export function reviewSchemas(root: string): SchemaReview {
  const { releases, problems: loaded, unreleased } = readReleases(root);
  const problems: BuildProblem[] = [...loaded];
  const candidates = unreleased.flatMap((file): Candidate[] => {
    const name = VERSION_FILE.exec(file);
    const text = readFileSync(join(root, file), "utf8");
    const { record, problems: own } = parseAvsc(file, text);
    problems.push(...own);
    if (name === null) problems.push({ file, line: undefined, message: "a schema is named schemas/<topic>/v<N>.avsc" });
    if (name === null || record === undefined) return [];
    const sha256 = createHash("sha256").update(text).digest("hex");
    return [{ topic: name[1] ?? "", version: Number(name[2]), schema: record, file, sha256 }];
  });
  const names = new Set([...releases, ...candidates].map(({ topic }) => topic));
  const topics = [...names].sort().map((topic): TopicSchemas => {
    const released = releases.filter((release) => release.topic === topic).sort((a, b) => a.version - b.version);
    const fresh = candidates.filter((candidate) => candidate.topic === topic).sort((a, b) => a.version - b.version);
    const mode = compatibilityOf(root, topic);
    for (const [index, { file, version }] of fresh.entries()) {
      const due = released.length + index + 1;
      if (version !== due) problems.push({ file, line: undefined, message: `the next version of ${topic} is v${due}` });
    }
    problems.push(...evolutionProblems(root, [...released, ...fresh], mode), ...planProblemsOf(root, fresh));
    if (released.length === 0) problems.push(...firstContractProblems(root, topic, fresh));
    return {
      topic,
      mode,
      released: released.map(({ version, id, retired }) => ({ version, id, retired: retired === true })),
      candidates: fresh,
    };
  });
  return { topics, problems };
}

/** Releases the candidates of a review without problems, in the order of their topics; returns their ids. */
export function releaseCandidates(
  root: string,
  review: SchemaReview,
): { readonly file: string; readonly id: number }[] {
  const file = join(root, "schemas/releases.json");
  const document: unknown = JSON.parse(readFileSync(file, "utf8"));
  const { releases } = z.object({ releases: z.array(z.looseObject({ id: z.int() })) }).parse(document);
  let id = Math.max(FIRST_ID - 1, ...releases.map((release) => release.id));
  const fresh = review.topics.flatMap(({ candidates }) => candidates).map((candidate) => ({ candidate, id: ++id }));
  const entries = fresh.map(({ candidate: { topic, version, sha256 }, id }) => ({ id, topic, version, sha256 }));
  const before = typeof document === "object" ? document : {};
  writeFileSync(file, `${JSON.stringify({ ...before, releases: [...releases, ...entries] }, null, 2)}\n`);
  return fresh.map(({ candidate, id }) => ({ file: candidate.file, id }));
}

// A first version is written together with its contract: after the release only the contract could still give way. Later
// ones are released before the contract describes their fields.
function firstContractProblems(root: string, topic: string, candidates: readonly Candidate[]): readonly BuildProblem[] {
  const file = `contracts/${topic}.yaml`;
  if (!existsSync(join(root, file))) return [];
  const releases = candidates.map((candidate, index) => ({ ...candidate, id: FIRST_ID + index }));
  const compiled = compileContract({ file, text: readFileSync(join(root, file), "utf8") }, releases);
  return compiled.ok ? [] : compiled.problems;
}

const stated = z.object({ customProperties: z.array(z.object({ property: z.string(), value: z.unknown() })) });

// Read apart from the contract's compilation: a contract that describes a new field only compiles once that is released.
function compatibilityOf(root: string, topic: string): CompatibilityMode {
  const file = `contracts/${topic}.yaml`;
  if (!existsSync(join(root, file))) return "FULL_TRANSITIVE";
  const parsed = stated.safeParse(parseYaml(file, readFileSync(join(root, file), "utf8")).value);
  const value = parsed.data?.customProperties.find(({ property }) => property === "compatibility")?.value;
  return COMPATIBILITY_MODES.find((mode) => mode === value) ?? "FULL_TRANSITIVE";
}
