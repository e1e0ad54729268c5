/** The statements on `api_keys`. */

export interface KeyRow {
  readonly producer: string;
  /** JSON array of "<topic or *>:<write|read|admin>". */
  readonly scopes: string;
  /** ISO 8601 UTC; null: never. */
  readonly expires_at: string | null;
}

/** The key with this hash (SHA-256, hex) unless it was revoked; null if there is none. Whether it has expired is the caller's to say: rows are cached. */
export async function findKey(db: D1Database, keyHash: string): Promise<KeyRow | null> {
  return await db
    .prepare("SELECT producer, scopes, expires_at FROM api_keys WHERE key_hash = ? AND revoked_at IS NULL")
    .bind(keyHash)
    .first<KeyRow>();
}
