/** What a key allows. */
import { DEAD_LETTERS_TOPIC } from "../../lakehouse/lookups/dead-letters/dead-letter.ts";
import type { KeyKind, KeyRow } from "../../sql/statements/keys.ts";
import type { Access, Rights } from "./need.ts";

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

/**
 * The topic `dead_letters` holds what was refused of every topic, so no right on one topic opens it: only `*:read` does. Else a
 * key for `dead_letters` would read, by peeking or tracing, what `GET /v1/dead-letters` keeps from it.
 */
const NEVER_ALLOWED: ReadonlySet<string> = new Set([`${DEAD_LETTERS_TOPIC}:read`]);

/** Why a scope cannot be given to a key; undefined if it can. */
export function pointlessScope(scope: string, isPlatformTopic: (topic: string) => boolean): string | undefined {
  const [topic = "", access] = scope.split(":");
  if (NEVER_ALLOWED.has(scope)) {
    return `${scope} allows nothing, since ${topic} holds refused events of every topic: give TOPIC:read for the dead letters of a topic, or *:read`;
  }
  if (access === "build" && topic !== "*") return "a builder builds whatever waits: give *:build";
  if (access === "write" && isPlatformTopic(topic)) return `only the platform itself writes to ${topic}`;
  return undefined;
}

/** A row's grant. Scopes, origins or an expiry that cannot be read allow nothing: a broken row must not open a door. */
export function grantOf(row: Omit<KeyRow, "key_hash">): KeyGrant {
  const expiresAt = row.expires_at === null ? null : Date.parse(row.expires_at);
  return {
    keyId: row.key_id,
    kind: row.kind,
    producer: row.producer,
    scopes: new Set(textsOf(row.scopes).filter((scope) => !NEVER_ALLOWED.has(scope))),
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

/** Whether a key is a builder's, and nothing else: calls that take any key are not for it. */
export function onlyBuilds({ scopes }: KeyGrant): boolean {
  return scopes.size > 0 && [...scopes].every((scope) => scope === "*:build");
}

/** Whether a key may do this on a topic; `*`: on every topic, and on what belongs to none. */
export function allows(grant: KeyGrant, topic: string, access: Access): boolean {
  return grant.scopes.has(`${topic}:${access}`) || grant.scopes.has(`*:${access}`);
}

/** Whether a key has a right on a topic: all of it on that same topic. */
export function permits(grant: KeyGrant, topic: string, rights: Rights): boolean {
  return rights.every((group) => group.some((access) => allows(grant, topic, access)));
}
