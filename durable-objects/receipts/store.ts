/** The SQLite of one receipt: a method a query, its meaning in words. Nothing here decides. */
import type { PreparedRequest, RequestStamp, StoredAnswer } from "../stubs.ts";
import type { Receipt } from "./machine.ts";

/** Under the 2 MB limit of a blob, with room for the row around it. */
const PART_BYTES = 1_900_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS receipt (one INTEGER PRIMARY KEY CHECK (one = 1), fingerprint TEXT, request_id TEXT NOT NULL, received INTEGER NOT NULL, phase TEXT NOT NULL, attempts INTEGER NOT NULL, not_before INTEGER NOT NULL, status INTEGER, content_type TEXT);
  CREATE TABLE IF NOT EXISTS unsent (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS answer (part INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
`;

export class ReceiptStore {
  readonly #sql: Pick<SqlStorage, "exec">;
  #hasTables = false;

  constructor(sql: Pick<SqlStorage, "exec">) {
    this.#sql = sql;
  }

  /** The object's storage was emptied, tables included. */
  dropped(): void {
    this.#hasTables = false;
  }

  /** The receipt; null if there is none. Every other method relies on this one having been called before. */
  receipt(): Receipt | null {
    if (!this.#hasTables) this.#sql.exec(SCHEMA);
    this.#hasTables = true;
    const row = this.#sql
      .exec<{
        fingerprint: string | null;
        request_id: string;
        received: number;
        phase: string;
        attempts: number;
        not_before: number;
      }>("SELECT fingerprint, request_id, received, phase, attempts, not_before FROM receipt")
      .toArray()[0];
    if (row === undefined) return null;
    const { fingerprint, request_id: requestId, received, phase, attempts, not_before: notBefore } = row;
    if (phase !== "begun" && phase !== "prepared" && phase !== "done")
      throw new Error(`the receipt stands in an unknown phase "${phase}"`);
    return { fingerprint, requestId, received, phase, attempts, notBefore };
  }

  /** Forgets whatever there was and notes a new request. To be run in one transaction. */
  begin({ requestId, received }: RequestStamp): void {
    this.#sql.exec("DELETE FROM receipt");
    this.#sql.exec("DELETE FROM unsent");
    this.#sql.exec("DELETE FROM answer");
    this.#sql.exec("INSERT INTO receipt VALUES (1, NULL, ?, ?, 'begun', 0, 0, NULL, NULL)", requestId, received);
  }

  /** The commit point: answer and messages together. To be run in one transaction. */
  prepare(fingerprint: string, { answer, messages }: PreparedRequest): void {
    for (const { topic, body } of messages) {
      this.#sql.exec("INSERT INTO unsent (topic, bytes) VALUES (?, ?)", topic, body);
    }
    const bytes = new TextEncoder().encode(answer.body);
    for (let at = 0; at < bytes.byteLength; at += PART_BYTES) {
      this.#sql.exec("INSERT INTO answer (bytes) VALUES (?)", bytes.slice(at, at + PART_BYTES));
    }
    const { status, contentType } = answer;
    this.#sql.exec(
      "UPDATE receipt SET phase = 'prepared', fingerprint = ?, status = ?, content_type = ?",
      fingerprint,
      status,
      contentType,
    );
  }

  /** The answer of a prepared request, to the byte. */
  answer(): StoredAnswer {
    const { status, content_type } = this.#sql
      .exec<{ status: number | null; content_type: string | null }>("SELECT status, content_type FROM receipt")
      .one();
    if (status === null || content_type === null) throw new Error("the receipt has no answer yet");
    const decoder = new TextDecoder();
    let body = "";
    for (const { bytes } of this.#sql.exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM answer ORDER BY part")) {
      body += decoder.decode(bytes, { stream: true });
    }
    return { status, contentType: content_type, body: body + decoder.decode() };
  }

  /** Messages not known to be durable in their queue, in the order of the request. */
  unsent(): number[] {
    return this.#sql
      .exec<{ id: number }>("SELECT id FROM unsent ORDER BY id")
      .toArray()
      .map(({ id }) => id);
  }

  message(id: number): { readonly topic: string; readonly body: Uint8Array } {
    const { topic, bytes } = this.#sql
      .exec<{ topic: string; bytes: ArrayBuffer }>("SELECT topic, bytes FROM unsent WHERE id = ?", id)
      .one();
    return { topic, body: new Uint8Array(bytes) };
  }

  /** The message is durable in its queue: nobody needs its bytes any more. */
  markSent(id: number): void {
    this.#sql.exec("DELETE FROM unsent WHERE id = ?", id);
  }

  markDone(): void {
    this.#sql.exec("UPDATE receipt SET phase = 'done', attempts = 0, not_before = 0");
  }

  noteFailure(notBefore: number): void {
    this.#sql.exec("UPDATE receipt SET attempts = attempts + 1, not_before = ?", notBefore);
  }
}
