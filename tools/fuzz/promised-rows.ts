/**
 * What answers promise about bronze, on the disk: a run of a million bodies keeps none of it in memory. One line a row,
 * written as answers come; DuckDB compares the file with bronze in one query.
 */

import { closeSync, openSync, writeSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import { quoteText } from "../../schemas/sql-quoting.ts";

/** Where dead letters go, which promise a row as accepted events do. */
export const LETTERS = "dead_letters";

export interface PromisedCounts {
  readonly accepted: number;
  readonly letters: number;
}

export class PromisedRows {
  readonly path: string;
  readonly #file: number;
  #pending: string[] = [];
  #pendingChars = 0;

  /** Creates the file. */
  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, "wx");
  }

  /** An accepted event by the id that its verdict shows. */
  accepted(topic: string, requestId: string, index: unknown, eventId: unknown): void {
    // In hex, since an id may hold whatever a text can hold.
    const id = typeof eventId === "string" ? Buffer.from(eventId).toString("hex").toUpperCase() : NO_ID;
    this.#write(`${topic},${requestId},${String(index)},${id}\n`);
  }

  letter(requestId: string, index: unknown): void {
    this.#write(`${LETTERS},${requestId},${String(index)},${NO_ID}\n`);
  }

  /** Nothing is promised after this. */
  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #write(line: string): void {
    this.#pending.push(line);
    this.#pendingChars += line.length;
    if (this.#pendingChars > 65_536) this.#flush();
  }

  #flush(): void {
    writeSync(this.#file, this.#pending.join(""));
    this.#pending = [];
    this.#pendingChars = 0;
  }
}

/** Stands for an id that is not there; hex has no such letters. */
export const NO_ID = "none";

/**
 * A SELECT of the promised rows: `topic`, `request_id`, `position`, `id` (hex, or `NO_ID`). The answer to an Idempotency-Key
 * comes again with the same request id, and promises what it promised before: hence DISTINCT.
 */
export function promisedSelect(path: string): string {
  const columns = "{'topic': 'VARCHAR', 'request_id': 'VARCHAR', 'position': 'INTEGER', 'id': 'VARCHAR'}";
  const source = `read_csv(${quoteText(path)}, header = false, auto_detect = false, delim = ',', quote = '', escape = '', columns = ${columns})`;
  return `SELECT DISTINCT topic, request_id, position, id FROM ${source}`;
}

export async function countPromised(path: string): Promise<PromisedCounts> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const sql = `SELECT topic = '${LETTERS}' AS letter, count(*)::INTEGER FROM (${promisedSelect(path)}) GROUP BY letter`;
    const counts = new Map((await connection.runAndReadAll(sql)).getRows().map(([letter, rows]) => [letter, rows]));
    return { accepted: Number(counts.get(false) ?? 0), letters: Number(counts.get(true) ?? 0) };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
