/** Where the builds of every table stage their files. */
import { type Table, tables } from "./catalog.ts";
import { quarantineOf } from "./quarantine.ts";
import { keysPrefix, orderKey, partialsPrefix, stagedPrefix } from "./stage.ts";

/** What the R2 keys of a run's files begin with: a prefix a folder. */
export type StagedPrefixes = (date: string, runId: string) => readonly string[];

/** By domain, of the tables that this deploy builds. */
export const stagedPlaces: ReadonlyMap<string, StagedPrefixes> = new Map(
  tables.map((table) => [
    table.domain,
    (date, runId) => [
      ...foldersOf(table).map((folder) => stagedPrefix(folder, date, runId)),
      ...objectsOf(table).map((prefix) => prefix(table, date, runId)),
    ],
  ]),
);

function foldersOf(table: Table): readonly Parameters<typeof stagedPrefix>[0][] {
  return table.kind === "topic" ? [table, quarantineOf(table)] : [table];
}

/** What stands beside a table's files for its next builds. */
function objectsOf({ kind }: Table): readonly (typeof keysPrefix)[] {
  return kind === "topic" ? [keysPrefix] : kind === "model" ? [keysPrefix, partialsPrefix, orderKey] : [];
}
