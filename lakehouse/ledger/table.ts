/** `silver_ledger`: the ledger's terms as a table, so that pipeline health is an ordinary model over it. */
import { ERROR_TYPES } from "../../contracts/verdict.ts";
import { parseDate, parseTimestamp } from "../../schemas/time.ts";
import type { LedgerTerm } from "../../sql/statements/ledger.ts";
import { createColumnBuilder, finishBatch } from "../engine/columns/builder.ts";
import type { Batch, Field } from "../engine/columns/column.ts";

export const LEDGER_TABLE = "silver_ledger";
export const LEDGER_PARTITION = "ledger_date";

export const LEDGER_FIELDS: readonly Field[] = [
  { name: LEDGER_PARTITION, type: { kind: "date" }, nullable: false },
  { name: "hour", type: { kind: "timestamp" }, nullable: false },
  { name: "topic", type: { kind: "utf8" }, nullable: false },
  { name: "term", type: { kind: "utf8" }, nullable: false },
  { name: "error_type", type: { kind: "utf8" }, nullable: true },
  { name: "events", type: { kind: "int64" }, nullable: false },
];

/** The rows of one date, in the order given. Throws on a term that D1 cannot hold by its own rules: an hour that is no time, an unknown error type. */
export function ledgerBatch(date: string, terms: readonly LedgerTerm[]): Batch {
  const day = parseDate(date);
  if (day === undefined) throw new Error(`"${date}" is not a date`);
  const known = new Set<string>(ERROR_TYPES);
  const builders = LEDGER_FIELDS.map((field) => createColumnBuilder(field.type));
  const [dates, hours, topics, kinds, errors, events] = builders;
  for (const term of terms) {
    const hour = parseTimestamp(term.hour);
    if (hour === undefined) throw new Error(`the ledger has an hour "${term.hour}", which is no time`);
    if (term.error_type !== null && !known.has(term.error_type))
      throw new Error(`the ledger has an unknown error type "${term.error_type}"`);
    if (dates?.kind === "int32") dates.push(day);
    if (hours?.kind === "int64") hours.pushNumber(hour);
    if (topics?.kind === "bytes") topics.pushString(term.topic);
    if (kinds?.kind === "bytes") kinds.pushString(term.term);
    if (errors?.kind === "bytes") {
      if (term.error_type === null) errors.pushNull();
      else errors.pushString(term.error_type);
    }
    if (events?.kind === "int64") events.pushNumber(term.events);
  }
  return finishBatch(LEDGER_FIELDS, builders);
}
