/** Which source topics' dead letters a key may see or replay. */
import { contracts } from "../../contracts/registry.ts";
import { type Access, allows, type KeyGrant } from "../middleware/auth/grant.ts";
import { ProblemError } from "../problem.ts";
import { knownTopic } from "../routes/topics.ts";

/**
 * The topics to look for; null: all. `topic` is what was asked for. Dead letters of a topic whose contract is gone are seen by
 * keys for every topic only. Throws the problems UNKNOWN_TOPIC and FORBIDDEN.
 */
export function allowedTopics(
  grant: KeyGrant,
  topic: string | undefined,
  accesses: readonly Access[],
): ReadonlySet<string> | null {
  const may = (name: string) => accesses.some((access) => allows(grant, name, access));
  if (topic !== undefined) {
    const { topic: known } = knownTopic(topic);
    if (may(known)) return new Set([known]);
    throw forbidden(known, accesses);
  }
  if (may("*")) return null;
  const topics = contracts.map((contract) => contract.topic).filter(may);
  if (topics.length === 0) throw forbidden("TOPIC", accesses);
  return new Set(topics);
}

function forbidden(topic: string, accesses: readonly Access[]): ProblemError {
  const scopes = accesses.map((access) => `"${topic}:${access}"`).join(" or ");
  return new ProblemError("FORBIDDEN", `the key needs the scope ${scopes} on the topic that the events were sent to`);
}
