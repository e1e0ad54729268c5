/** What a key allows. */
import type { KeyKind, KeyRow } from "../../../sql/statements/keys.ts";
import { ProblemError } from "../../problem.ts";

export type Access = "write" | "read" | "admin";

export interface KeyGrant {
  /** The key's public id. */
  readonly keyId: string;
  readonly kind: KeyKind;
  readonly producer: string;
  /** "<topic or *>:<access>". */
  readonly scopes: ReadonlySet<string>;
  /** Web origins that a publishable key may be used from; a secret key has none. */
  readonly origins: ReadonlySet<string>;
  /** null: no limit of its own. */
  readonly eventsPerMinute: number | null;
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null;
}

/** A row's grant. Scopes, origins or an expiry that cannot be read allow nothing: a broken row must not open a door. */
export function grantOf(row: Omit<KeyRow, "key_hash">): KeyGrant {
  const expiresAt = row.expires_at === null ? null : Date.parse(row.expires_at);
  return {
    keyId: row.key_id,
    kind: row.kind,
    producer: row.producer,
    scopes: new Set(textsOf(row.scopes)),
    origins: new Set(textsOf(row.origins)),
    eventsPerMinute: row.events_per_minute,
    expiresAt: Number.isNaN(expiresAt) ? 0 : expiresAt,
  };
}

/** The texts of a JSON array; none if it is none. */
export function textsOf(json: string): string[] {
  try {
    const texts: unknown = JSON.parse(json);
    return Array.isArray(texts) ? texts.filter((text) => typeof text === "string") : [];
  } catch {
    return [];
  }
}

/** Throws the problem FORBIDDEN for a key that may not operate the platform. */
export function demandAdmin(grant: KeyGrant): void {
  if (!allows(grant, "*", "admin")) throw new ProblemError("FORBIDDEN", 'the key needs the scope "*:admin"');
}

/** Throws the problem FORBIDDEN, naming the scope that the key lacks. */
export function demandAccess(grant: KeyGrant, topic: string, access: Access): void {
  if (!allows(grant, topic, access)) {
    throw new ProblemError("FORBIDDEN", `the key needs the scope "${topic}:${access}"`);
  }
}

/** Whether a key may do this on a topic. */
export function allows(grant: KeyGrant, topic: string, access: Access): boolean {
  return grant.scopes.has(`${topic}:${access}`) || grant.scopes.has(`*:${access}`);
}
