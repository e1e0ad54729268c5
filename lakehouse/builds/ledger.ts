/** Prepares a partition of the published ledger from D1's terms. */
import { ledgerTerms } from "../../sql/statements/ledger.ts";
import { ledgerBatch } from "../ledger/table.ts";
import type { Candidate } from "./candidate.ts";
import { digestOf } from "./digest.ts";

export async function prepareLedger(db: D1Database, date: string): Promise<Candidate> {
  const terms = await ledgerTerms(db, date);
  const rows = ledgerBatch(date, terms);
  // The terms themselves are the input: an equal ledger has an equal digest.
  const digest = digestOf([JSON.stringify(terms)]);
  return { rows, rowsIn: terms.length, inputs: 0, digest, completeThrough: null };
}
