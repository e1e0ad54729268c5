/** Where the rows stand that quality checks kept out of a topic's silver table. */
import type { Contract } from "../../contracts/contract.ts";
import { eventSchema } from "../bronze/table.ts";
import type { Field } from "../engine/columns/column.ts";
import type { TopicTable } from "./catalog.ts";
import { silverFields } from "./silver-columns.ts";
import type { StagedTable } from "./stage.ts";

/** The names of the checks that a row in quarantine failed. */
export const FAILED_CHECKS_FIELD = {
  name: "_failed_checks",
  type: { kind: "list", item: { name: "item", type: { kind: "utf8" }, nullable: false } },
  nullable: false,
} as const satisfies Field;

export function quarantineName(topic: string): string {
  return `quarantine_${topic}`;
}

/** Silver's columns, and which checks a row failed. */
export function quarantineFields(contract: Contract): Field[] {
  return [...silverFields(contract, eventSchema(contract)), FAILED_CHECKS_FIELD];
}

/** Beside silver, not in it, so that whoever reads silver's folder does not read these. */
export function quarantineOf({ contract, partition, dictionaryColumns, unbounded }: TopicTable): StagedTable {
  return {
    name: quarantineName(contract.topic),
    directory: `quarantine/${contract.topic}`,
    partition,
    fields: quarantineFields(contract),
    dictionaryColumns,
    // Rows that came after the sealing stand as they were read.
    sortedBy: [],
    unbounded,
  };
}
