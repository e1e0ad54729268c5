/** What a new version may not be, held against earlier ones: the contract's compatibility, and one table for all. */
import {
  type CompatibilityMode,
  incompatibilities,
  type SchemaVersion,
  type VersionIncompatibility,
} from "../compatibility/modes.ts";
import { type TableConflict, tableSchema } from "../compatibility/table-schema.ts";

export interface EvolutionFaults {
  readonly incompatible: readonly VersionIncompatibility[];
  /** Fields that no one column holds; only looked for where nothing is incompatible. */
  readonly conflicts: readonly TableConflict[];
}

/** Why `candidate` cannot follow `earlier` (oldest first). */
export function evolutionFaults(
  candidate: SchemaVersion,
  earlier: readonly SchemaVersion[],
  mode: CompatibilityMode,
): EvolutionFaults {
  const incompatible = incompatibilities(candidate, earlier, mode);
  if (incompatible.length > 0) return { incompatible, conflicts: [] };
  return { incompatible, conflicts: tableSchema([...earlier, candidate].map(({ schema }) => schema)).conflicts };
}
