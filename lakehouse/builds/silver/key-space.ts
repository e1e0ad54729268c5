/** Which keys of a topic's rows must be told apart over a whole partition: the dedupe key, and those of its checks of duplicates. */
import { createHash } from "node:crypto";
import type { LibraryCheck } from "../../../contracts/contract.ts";
import type { TopicTable } from "../../tables/catalog.ts";

/** The rows whose keys are compared with each other. */
export type Population =
  /** All of bronze. */
  | "bronze"
  /** Those that no check of values keeps out. */
  | "sound"
  /** Those that are published. */
  | "kept";

export interface KeySpace {
  /** Names its known keys for good: a digest of what decides them. */
  readonly id: string;
  readonly columns: readonly string[];
  readonly population: Population;
  /** Undefined: the dedupe key, whose copies are removed; NULL equals NULL there. */
  readonly check?: LibraryCheck;
}

/** The dedupe key first. A check of duplicates over columns that hold the dedupe key needs none: it finds nothing in silver. */
export function keySpaces({
  contract,
  checks,
}: Pick<TopicTable, "contract" | "checks">): readonly [KeySpace, ...KeySpace[]] {
  const dedupe: KeySpace = spaceOf(contract.dedupeKey, "bronze", undefined);
  const others = checks.flatMap((check) => {
    if (check.metric !== "duplicateValues" || neverFails(check, contract.dedupeKey)) return [];
    return [spaceOf(check.columns, populationOf(check), check)];
  });
  return [dedupe, ...others];
}

/** Whether silver has no two rows that a check of duplicates counts, by its own deduplication. */
export function neverFails(check: LibraryCheck, dedupeKey: readonly string[]): boolean {
  return (
    check.metric === "duplicateValues" &&
    check.layer === "silver" &&
    dedupeKey.every((column) => check.columns.includes(column))
  );
}

function populationOf({ layer, onFail }: LibraryCheck): Population {
  if (layer === "bronze") return "bronze";
  return onFail === "quarantine" ? "sound" : "kept";
}

function spaceOf(columns: readonly string[], population: Population, check: LibraryCheck | undefined): KeySpace {
  const kind = check === undefined ? "dedupe" : "check";
  const id = createHash("sha256")
    .update(JSON.stringify([kind, population, columns]))
    .digest("hex")
    .slice(0, 16);
  return { id, columns, population, ...(check === undefined ? {} : { check }) };
}
