/** Which releases of contracts and schemas were announced. */
import * as z from "zod";
import type { FieldRule } from "../../contracts/contract.ts";
import { type ReadableRows, rowsOf } from "../rows/row.ts";

export interface Announced {
  readonly topic: string;
  readonly revision: number;
  readonly contract_version: string;
  readonly fields: readonly FieldRule[];
  /** Ids. */
  readonly schemas: readonly number[];
}

/** A topic whose release was not announced, and what was announced before; null: nothing. */
export interface Unannounced {
  readonly topic: string;
  readonly before: Announced | null;
}

const FIELD_KINDS = ["string", "integer", "number", "boolean", "timestamp", "date", "array", "object"] as const;

const fieldRule: z.ZodType<FieldRule> = z.object({
  name: z.string(),
  kind: z.enum(FIELD_KINDS),
  required: z.boolean(),
  minimum: z.number().exactOptional(),
  maximum: z.number().exactOptional(),
  minLength: z.number().exactOptional(),
  maxLength: z.number().exactOptional(),
  pattern: z.string().exactOptional(),
  accepted: z.array(z.string()).exactOptional(),
  minItems: z.number().exactOptional(),
  maxItems: z.number().exactOptional(),
  get item() {
    return fieldRule.exactOptional();
  },
  get fields() {
    return z.array(fieldRule).exactOptional();
  },
  masking: z.enum(["hmac", "redact", "email"]).exactOptional(),
  examples: z.array(z.unknown()).exactOptional(),
});

const UNANNOUNCED = rowsOf(
  {
    table: "announced_releases",
    key: ["topic"],
    remedy: "delete the row: the topic's release is then announced as its first",
  },
  (row): Unannounced => {
    const topic = row.text("topic");
    const revision = row.integerOrNull("revision");
    if (revision === null) return { topic, before: null };
    return {
      topic,
      before: {
        topic,
        revision,
        contract_version: row.text("contract_version"),
        fields: row.json("fields", z.array(fieldRule)),
        schemas: row.json("schemas", z.array(z.int())),
      },
    };
  },
);

/** The topics among `current` whose digest is not the announced one. Reads one row a topic. */
export async function unannouncedReleases(
  db: D1Database,
  current: readonly { readonly topic: string; readonly digest: string }[],
): Promise<ReadableRows<Unannounced>> {
  return UNANNOUNCED.readable(
    await db
      .prepare(
        `SELECT c.value ->> 'topic' AS topic, a.revision, a.contract_version, a.fields, a.schemas
       FROM json_each(?1) c LEFT JOIN announced_releases a ON a.topic = c.value ->> 'topic'
       WHERE a.digest IS NOT c.value ->> 'digest' ORDER BY 1`,
      )
      .bind(JSON.stringify(current))
      .all(),
  );
}

export interface Announcement {
  readonly topic: string;
  readonly revision: number;
  readonly contractVersion: string;
  readonly digest: string;
  readonly fields: readonly unknown[];
  readonly schemas: readonly number[];
}

/** Records announcements, each only after the revision before it: of two that were decided on the same one, the first stays. */
export function recordAnnouncements(
  db: D1Database,
  announcements: readonly Announcement[],
  now: string,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO announced_releases (topic, revision, contract_version, digest, fields, schemas, announced_at)
       SELECT value ->> 'topic', value ->> 'revision', value ->> 'contractVersion', value ->> 'digest', value -> 'fields', value -> 'schemas', ?2
       FROM json_each(?1) WHERE true
       ON CONFLICT DO UPDATE SET revision = excluded.revision, contract_version = excluded.contract_version, digest = excluded.digest,
         fields = excluded.fields, schemas = excluded.schemas, announced_at = excluded.announced_at
       WHERE revision = excluded.revision - 1`,
    )
    .bind(JSON.stringify(announcements), now);
}
