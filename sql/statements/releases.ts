/** Which releases of contracts and schemas were announced. */

export interface Announced {
  readonly topic: string;
  readonly revision: number;
  readonly contract_version: string;
  /** JSON of the contract's fields. */
  readonly fields: string;
  /** JSON array of schema ids. */
  readonly schemas: string;
}

/** A topic whose release was not announced, and what was announced before; null: nothing. */
export interface Unannounced {
  readonly topic: string;
  readonly before: Announced | null;
}

/** The topics among `current` whose digest is not the announced one. Reads one row a topic. */
export async function unannouncedReleases(
  db: D1Database,
  current: readonly { readonly topic: string; readonly digest: string }[],
): Promise<Unannounced[]> {
  const { results } = await db
    .prepare(
      `SELECT c.value ->> 'topic' AS topic, a.revision, a.contract_version, a.fields, a.schemas
       FROM json_each(?1) c LEFT JOIN announced_releases a ON a.topic = c.value ->> 'topic'
       WHERE a.digest IS NOT c.value ->> 'digest' ORDER BY 1`,
    )
    .bind(JSON.stringify(current))
    .all<{ topic: string; revision: number | null; contract_version: string; fields: string; schemas: string }>();
  return results.map(({ topic, revision, ...announced }) => ({
    topic,
    before: revision === null ? null : { topic, revision, ...announced },
  }));
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
