/**
 * The right that a call needs. Each operation (`routes/*.api.ts`) declares one; `guard.ts` enforces that very declaration, and
 * docs/keys.md and /openapi.json are written from it, so that what is said and what is done cannot differ.
 */

/** `build` is of the platform alone: `*:build`, and no topic's. */
export const ACCESSES = ["write", "read", "admin", "build"] as const;
export type Access = (typeof ACCESSES)[number];

/** A right on a topic: every group must be met, by one of its accesses. */
export type Rights = readonly (readonly Access[])[];

export type Need =
  /** No key. */
  | { readonly kind: "open" }
  /** Any secret key that is in force. */
  | { readonly kind: "key" }
  /** The scope `*:ACCESS`: what is not of one topic. */
  | { readonly kind: "platform"; readonly access: Access }
  /** A right on the topic in the address. `publishable`: keys for browsers may call it too. */
  | { readonly kind: "topic"; readonly rights: Rights; readonly publishable?: true }
  /** A right on the topic whose silver is the table in the address; on every topic for any other table. */
  | { readonly kind: "table"; readonly rights: Rights }
  /** A right on one topic at least. The route sees the topics through `Reach` and answers for no others. */
  | { readonly kind: "topics"; readonly rights: Rights };

export const OPEN: Need = { kind: "open" };
export const ANY_KEY: Need = { kind: "key" };

export function platform(access: Access): Need {
  return { kind: "platform", access };
}

/** One of these accesses on the topic in the address. */
export function onTopic(...accesses: readonly Access[]) {
  return { kind: "topic", rights: [accesses] } as const satisfies Need;
}

export function onTable(access: Access): Need {
  return { kind: "table", rights: [[access]] };
}

export function onTopics(...rights: Rights): Need {
  return { kind: "topics", rights };
}

/** The need as the scopes of a topic, such as `orders:read and (orders:write or orders:admin)`. `quote` encloses each scope. */
export function scopesText(rights: Rights, topic: string, quote: string): string {
  const groups = rights.map((group) => group.map((access) => `${quote}${topic}:${access}${quote}`).join(" or "));
  return groups.length === 1
    ? (groups[0] ?? "")
    : groups.map((text) => (text.includes(" or ") ? `(${text})` : text)).join(" and ");
}

/** The need in words, with scopes as code; for docs/keys.md and /openapi.json. */
export function needText(need: Need): string {
  switch (need.kind) {
    case "open":
      return "no key";
    case "key":
      return "any secret key";
    case "platform":
      return `\`*:${need.access}\``;
    case "topic":
      return `${topicScopes(need.rights)}${need.publishable === true ? ", also of a publishable key" : ""}`;
    case "table":
      return `${topicScopes(need.rights)} for the table \`silver_TOPIC\`, ${scopesText(need.rights, "*", "`")} for any other`;
    case "topics":
      return `${topicScopes(need.rights)}; answers for the topics on which the key has it`;
  }
}

function topicScopes(rights: Rights): string {
  return scopesText(rights, "TOPIC", "`");
}
