/** Messages that were parked in the bucket and wait for somebody: one condition per queue. */
import type { Condition, ConditionSource } from "./condition.ts";

const PREFIX = "parked/";
/** What buffers set aside is counted in D1 (`buffers.ts`). */
const SLICES = "parked/slices/";
/** R2 lists at most so many at once; whoever has more has enough to do. */
const MAX_LISTED = 1_000;
const MAX_QUEUES = 50;

/** One list call when nothing is parked, and one more for each queue that has something. */
export function parkedMessagesSource(bucket: Pick<R2Bucket, "list">): ConditionSource {
  return {
    name: "parked_messages",
    async find() {
      const { delimitedPrefixes } = await bucket.list({ prefix: PREFIX, delimiter: "/" });
      const conditions: Condition[] = [];
      for (const prefix of delimitedPrefixes.filter((each) => each !== SLICES).slice(0, MAX_QUEUES)) {
        const { objects, truncated } = await bucket.list({ prefix, limit: MAX_LISTED, include: ["customMetadata"] });
        if (objects.length > 0) conditions.push(conditionOf(prefix, objects, truncated));
      }
      return conditions;
    },
  };
}

function conditionOf(prefix: string, objects: readonly R2Object[], truncated: boolean): Condition {
  const queue = prefix.slice(PREFIX.length, -1);
  const reason = objects[0]?.customMetadata?.["detail"]?.slice(0, 300) ?? "unknown";
  const count = `${objects.length}${truncated ? " or more" : ""}`;
  return {
    key: `message_parked/${queue}`,
    kind: "message_parked",
    severity: "critical",
    message: `${count} of the queue ${queue}'s messages are parked, intact, under ${prefix} in the bucket. The first one's reason: ${reason}. They wait until they are sent again.`,
    measured: objects.length,
  };
}
