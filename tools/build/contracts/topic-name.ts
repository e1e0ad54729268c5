/** What a topic may be called. Its name becomes tables, queues, folders and D1 domains, so it must collide with none of them. */

/** Cloudflare's queue names have at most 63 characters; the longest of a topic is `sluice-production-<topic>-dlq`. */
const MAX_LENGTH = 63 - "sluice-production--dlq".length;

/** Names that the platform's own tables (`silver_ledger`, `bronze_files`), queues (`builds`) and folders under schemas/ have. */
const RESERVED: readonly string[] = ["builds", "files", "ledger", "canonical", "compatibility"];

/** Why a topic cannot have this name, and what to do; undefined if it can. */
export function topicNameProblem(topic: string): string | undefined {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(topic)) {
    const mended = topic
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^[_0-9]+|_+$/g, "");
    const hint = mended === "" ? "" : ` Try "${mended}".`;
    return `A topic is named in lower_snake_case (letters a-z first, digits, single _), not "${topic}".${hint}`;
  }
  if (topic.length > MAX_LENGTH)
    return `"${topic}" has ${topic.length} characters; a queue's name has room for ${MAX_LENGTH} of a topic.`;
  if (RESERVED.includes(topic)) return `"${topic}" is a name of the platform itself: choose another one.`;
  if (topic.endsWith("_dlq"))
    return `"${topic}" would share the queue of ${topic.slice(0, -4)}'s dead letters: choose a name without _dlq.`;
  return undefined;
}
