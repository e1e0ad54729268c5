/**
 * The compatibility modes of a topic, as the Confluent Schema Registry names them. BACKWARD: a new version reads what
 * earlier ones wrote. FORWARD: earlier versions read what the new one writes. FULL: both. TRANSITIVE: with every earlier
 * version, else with the one before.
 */
import type { AvroRecord } from "../avro-schema.ts";
import { canRead, type Incompatibility } from "./can-read.ts";

export const COMPATIBILITY_MODES = [
  "NONE",
  "BACKWARD",
  "FORWARD",
  "FULL",
  "BACKWARD_TRANSITIVE",
  "FORWARD_TRANSITIVE",
  "FULL_TRANSITIVE",
] as const;
export type CompatibilityMode = (typeof COMPATIBILITY_MODES)[number];

export interface SchemaVersion {
  readonly version: number;
  readonly schema: AvroRecord;
}

/** An incompatibility between a candidate and an earlier version; `reader` and `writer` are version numbers. */
export interface VersionIncompatibility extends Incompatibility {
  readonly reader: number;
  readonly writer: number;
}

/** What the mode has against `candidate` after `earlier` (oldest first). Retired versions count too: their rows stay in the lake. */
export function incompatibilities(
  candidate: SchemaVersion,
  earlier: readonly SchemaVersion[],
  mode: CompatibilityMode,
): VersionIncompatibility[] {
  if (mode === "NONE") return [];
  const direction = mode.replace("_TRANSITIVE", "");
  const compared = mode.endsWith("_TRANSITIVE") ? earlier : earlier.slice(-1);
  return compared.flatMap((other) => [
    ...(direction === "FORWARD" ? [] : between(candidate, other)),
    ...(direction === "BACKWARD" ? [] : between(other, candidate)),
  ]);
}

function between(reader: SchemaVersion, writer: SchemaVersion): VersionIncompatibility[] {
  return canRead(reader.schema, writer.schema).map((found) => ({
    ...found,
    reader: reader.version,
    writer: writer.version,
  }));
}
