/** The statements on `api_keys`. Times are ISO 8601 UTC with milliseconds, so that their texts compare as times do. */
import { type Row, rowsOf, textsOf } from "../rows/row.ts";

const NAMES = textsOf({ table: "api_keys", remedy: "delete the row: the key is then void" }, "name");

export type KeyKind = "secret" | "publishable";

export interface KeyRow {
  readonly key_hash: string;
  readonly key_id: string;
  readonly kind: KeyKind;
  readonly producer: string;
  /** JSON array of "<topic or *>:<write|read|admin>". */
  readonly scopes: string;
  /** JSON array of web origins such as "https://shop.example". */
  readonly origins: string;
  /** null: no limit of its own. */
  readonly events_per_minute: number | null;
  /** null: never. */
  readonly expires_at: string | null;
}

/** A key as it is listed: everything but its hash. */
export interface ListedKey extends Omit<KeyRow, "key_hash"> {
  readonly created_at: string;
  readonly revoked_at: string | null;
  readonly rotated_from: string | null;
}

const KEY_KINDS = ["secret", "publishable"] as const;
const SOURCE = { table: "api_keys", key: ["key_id"], remedy: "revoke the key and make another" } as const;

function allowedBy(row: Row): Omit<KeyRow, "key_hash"> {
  return {
    key_id: row.text("key_id"),
    kind: row.oneOf("kind", KEY_KINDS),
    producer: row.text("producer"),
    scopes: row.text("scopes"),
    origins: row.text("origins"),
    events_per_minute: row.integerOrNull("events_per_minute"),
    expires_at: row.textOrNull("expires_at"),
  };
}

const KEYS = rowsOf(SOURCE, (row): KeyRow => ({ key_hash: row.text("key_hash"), ...allowedBy(row) }));

const LISTED_KEYS = rowsOf(
  SOURCE,
  (row): ListedKey => ({
    ...allowedBy(row),
    created_at: row.text("created_at"),
    revoked_at: row.textOrNull("revoked_at"),
    rotated_from: row.textOrNull("rotated_from"),
  }),
);

/** When a key ends: by its own expiry or by the overlap of its rotation, whichever is first; null: never. */
const ENDS_AT = "nullif(min(coalesce(expires_at, '~'), coalesce(overlap_ends_at, '~')), '~')";

const LISTED = `key_id, kind, producer, scopes, origins, events_per_minute, created_at, ${ENDS_AT} AS expires_at, revoked_at, rotated_from`;

/** The key with this hash (SHA-256, hex) unless it was revoked; null if there is none. Whether it has expired is the caller's to say: rows are cached. */
export async function findKey(db: D1Database, keyHash: string): Promise<KeyRow | null> {
  const key = db
    .prepare(
      `SELECT key_hash, key_id, kind, producer, scopes, origins, events_per_minute, ${ENDS_AT} AS expires_at
       FROM api_keys WHERE key_hash = ? AND revoked_at IS NULL`,
    )
    .bind(keyHash);
  return await KEYS.first(key);
}

/** Whether any publishable key in force at `now` is bound to this origin. */
export async function originHasKey(db: D1Database, origin: string, now: string): Promise<boolean> {
  const row = await db
    .prepare(
      `SELECT 1 AS found FROM key_origins JOIN api_keys USING (key_hash)
       WHERE origin = ? AND kind = 'publishable' AND revoked_at IS NULL AND coalesce(${ENDS_AT}, '~') > ?
       LIMIT 1`,
    )
    .bind(origin, now)
    .first();
  return row !== null;
}

/** The hashes of the keys that were not revoked, at most so many. */
export async function keyHashes(db: D1Database, limit: number): Promise<string[]> {
  const statement = db.prepare("SELECT key_hash AS name FROM api_keys WHERE revoked_at IS NULL LIMIT ?");
  return await NAMES.all(statement.bind(limit));
}

/** The origins that keys have or had, at most so many. */
export async function keyOrigins(db: D1Database, limit: number): Promise<string[]> {
  return await NAMES.all(db.prepare("SELECT DISTINCT origin AS name FROM key_origins LIMIT ?").bind(limit));
}

/** Every key ever made, the newest first. */
export async function listKeys(db: D1Database): Promise<ListedKey[]> {
  return await LISTED_KEYS.all(db.prepare(`SELECT ${LISTED} FROM api_keys ORDER BY created_at DESC, key_id`));
}

/** The key with this public id; null if there is none. */
export async function keyById(db: D1Database, keyId: string): Promise<ListedKey | null> {
  return await LISTED_KEYS.first(db.prepare(`SELECT ${LISTED} FROM api_keys WHERE key_id = ?`).bind(keyId));
}

export interface NewKey extends KeyRow {
  readonly created_at: string;
}

/** Adds a key, and its producer if that is new. Throws if the key or its id is there already. */
export async function insertKey(db: D1Database, key: NewKey): Promise<void> {
  await db.batch([
    db
      .prepare("INSERT INTO producers (producer, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING")
      .bind(key.producer, key.created_at),
    db
      .prepare(
        `INSERT INTO api_keys (key_hash, key_id, kind, producer, scopes, origins, events_per_minute, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .bind(
        key.key_hash,
        key.key_id,
        key.kind,
        key.producer,
        key.scopes,
        key.origins,
        key.events_per_minute,
        key.created_at,
        key.expires_at,
      ),
  ]);
}

export interface Rotation {
  readonly oldId: string;
  readonly newHash: string;
  readonly newId: string;
  readonly now: string;
  /** When the old key stops; it keeps an earlier end of its own. */
  readonly oldExpiresAt: string;
}

/**
 * Adds a key with all that the old one allows, up to the expiry that the old one was made with, and lets the old one end after
 * the overlap, in one transaction.
 * False, and nothing is done, if the old one is not in force at `now`.
 */
export async function rotateKey(db: D1Database, rotation: Rotation): Promise<boolean> {
  const { oldId, newHash, newId, now, oldExpiresAt } = rotation;
  const [inserted] = await db.batch([
    db
      .prepare(
        `INSERT INTO api_keys (key_hash, key_id, kind, producer, scopes, origins, events_per_minute, created_at, expires_at, rotated_from)
         SELECT ?, ?, kind, producer, scopes, origins, events_per_minute, ?, expires_at, key_id FROM api_keys
         WHERE key_id = ? AND revoked_at IS NULL AND coalesce(${ENDS_AT}, '~') > ?
         RETURNING key_id`,
      )
      .bind(newHash, newId, now, oldId, now),
    // Guarded by the insert: where that added nothing, there is no key to point at.
    db
      .prepare(
        `UPDATE api_keys SET overlap_ends_at = min(coalesce(overlap_ends_at, ?), ?)
         WHERE key_id = ? AND EXISTS (SELECT 1 FROM api_keys WHERE key_id = ?)`,
      )
      .bind(oldExpiresAt, oldExpiresAt, oldId, newId),
  ]);
  return (inserted?.results.length ?? 0) > 0;
}

/** Notes that a key is void from `now` on; the first revocation stands. False if there is no such key. */
export async function revokeKey(db: D1Database, keyId: string, now: string): Promise<boolean> {
  const { results } = await db
    .prepare("UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE key_id = ? RETURNING key_id")
    .bind(now, keyId)
    .all();
  return results.length > 0;
}
