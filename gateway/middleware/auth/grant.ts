/** What a key allows. */
import type { KeyRow } from "../../../sql/statements/keys.ts";

export type Access = "write" | "read" | "admin";

export interface KeyGrant {
  readonly producer: string;
  /** "<topic or *>:<access>". */
  readonly scopes: ReadonlySet<string>;
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null;
}

/** A row's grant. Scopes or an expiry that cannot be read allow nothing: a broken row must not open a door. */
export function grantOf(row: KeyRow): KeyGrant {
  const expiresAt = row.expires_at === null ? null : Date.parse(row.expires_at);
  return {
    producer: row.producer,
    scopes: new Set(scopesOf(row.scopes)),
    expiresAt: Number.isNaN(expiresAt) ? 0 : expiresAt,
  };
}

function scopesOf(json: string): string[] {
  try {
    const scopes: unknown = JSON.parse(json);
    return Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === "string") : [];
  } catch {
    return [];
  }
}

/** Whether a key may do this on a topic. */
export function allows(grant: KeyGrant, topic: string, access: Access): boolean {
  return grant.scopes.has(`${topic}:${access}`) || grant.scopes.has(`*:${access}`);
}
