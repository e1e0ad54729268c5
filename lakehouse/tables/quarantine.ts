/** Where the rows stand that quality checks kept out of a topic's silver table. */
import { FAILED_CHECKS_FIELD } from "../quality/quarantine.ts";
import type { TopicTable } from "./catalog.ts";
import type { StagedTable } from "./stage.ts";

/** Beside silver, not in it, so that whoever reads silver's folder does not read these. */
export function quarantineOf(table: TopicTable): StagedTable {
  const { topic } = table.contract;
  return {
    name: `quarantine_${topic}`,
    directory: `quarantine/${topic}`,
    partition: table.partition,
    fields: [...table.fields, FAILED_CHECKS_FIELD],
    dictionaryColumns: table.dictionaryColumns,
  };
}
