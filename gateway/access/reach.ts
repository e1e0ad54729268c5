/** The topics for which a call may answer: those on which its key has the right that the call declares. */
import { contracts } from "../../contracts/registry.ts";
import { knownTopic } from "../known-topic.ts";
import { ProblemError } from "../problem.ts";
import { type KeyGrant, permits } from "./grant.ts";
import { type Rights, scopesText } from "./need.ts";

export interface Reach {
  /** null: every topic, those without a contract too. */
  readonly topics: ReadonlySet<string> | null;
  /** Whether it has this topic. null, what belongs to no topic, is for keys with the right on every topic. */
  has(topic: string | null): boolean;
  /** The topic that the caller named. Throws the problems UNKNOWN_TOPIC and FORBIDDEN. */
  only(name: string): string;
}

/** Throws the problem FORBIDDEN for a key that has the right on no topic. */
export function reachOf(grant: KeyGrant, rights: Rights): Reach {
  const all = permits(grant, "*", rights);
  const own = contracts.map(({ topic }) => topic).filter((topic) => permits(grant, topic, rights));
  if (!all && own.length === 0) throw forbidden(rights, "TOPIC");
  const topics = all ? null : new Set(own);
  const has = (topic: string | null): boolean => topics === null || (topic !== null && topics.has(topic));
  return {
    topics,
    has,
    only(name) {
      const { topic } = knownTopic(name);
      if (!has(topic)) throw forbidden(rights, topic);
      return topic;
    },
  };
}

export function forbidden(rights: Rights, topic: string): ProblemError {
  return new ProblemError("FORBIDDEN", `the key needs the scope ${scopesText(rights, topic, '"')}`);
}
