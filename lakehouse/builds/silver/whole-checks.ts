/** The checks of a topic that only a look at all rows can measure: those in SQL. They stream; nothing of the partition is held. */
import type { BronzeInput } from "../../../sql/statements/bronze-inputs.ts";
import type { TopicTable } from "../../tables/catalog.ts";
import type { LakeWork } from "../../tables/lake.ts";
import { readFiles } from "../../tables/read-files.ts";
import { type CheckResult, queryResult } from "../gates/gate.ts";
import type { CandidateScan } from "../gates/measure-query.ts";
import { bronzeRows } from "./bronze-rows.ts";
import { storedFields } from "./derived.ts";

/** Where the rows stand; asked only when there is such a check. */
export interface CandidateFiles {
  silver(): Promise<readonly { readonly file: string }[]>;
  bronze(): Promise<readonly BronzeInput[]>;
}

/** Throws what reading throws. */
export async function wholeChecks(lake: LakeWork, table: TopicTable, files: CandidateFiles): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of table.checks) {
    if (check.metric !== "sql") continue;
    const scan =
      check.layer === "bronze"
        ? bronzeScan(lake, table, await files.bronze())
        : silverScan(lake, table, await files.silver());
    results.push(await queryResult(check, scan));
  }
  return results;
}

function bronzeScan(lake: LakeWork, table: TopicTable, inputs: readonly BronzeInput[]): CandidateScan {
  return (columns) =>
    bronzeRows(
      lake,
      inputs,
      storedFields(table).filter(({ name }) => columns.includes(name)),
    );
}

function silverScan(lake: LakeWork, table: TopicTable, files: readonly { readonly file: string }[]): CandidateScan {
  return (columns) =>
    readFiles(
      lake,
      files,
      table.fields.filter(({ name }) => columns.includes(name)),
    );
}
