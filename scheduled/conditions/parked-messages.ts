/** Messages that were parked in the bucket and wait for somebody: one condition per queue. */
import {
  listParked,
  PARKED_PREFIX,
  type ParkedPage,
  parkedQueues,
} from "../../lakehouse/upkeep/parked/parked-message.ts";
import { unlessNothingParked } from "../../lakehouse/upkeep/parked/parked-note.ts";
import type { Condition, ConditionSource } from "./condition.ts";

/** R2 lists at most so many at once; whoever has more has enough to do. */
const MAX_LISTED = 1_000;
const MAX_QUEUES = 50;

/** No list call while nothing is parked; else one, and one more for each queue that has something. */
export function parkedMessagesSource(bucket: Pick<R2Bucket, "head" | "list" | "put">): ConditionSource {
  return {
    name: "parked_messages",
    async find() {
      const queues = await unlessNothingParked(bucket, () => parkedQueues(bucket));
      const conditions: Condition[] = [];
      for (const queue of queues.slice(0, MAX_QUEUES)) {
        const page = await listParked(bucket, { queue, limit: MAX_LISTED });
        if (page.messages.length > 0) conditions.push(conditionOf(queue, page));
      }
      return conditions;
    },
  };
}

function conditionOf(queue: string, { messages, cursor }: ParkedPage): Condition {
  const reason = messages[0]?.detail.slice(0, 300) || "unknown";
  const count = `${messages.length}${cursor === null ? "" : " or more"}`;
  return {
    key: `message_parked/${queue}`,
    kind: "message_parked",
    severity: "critical",
    message: `${count} of the queue ${queue}'s messages are parked, intact, under ${PARKED_PREFIX}${queue}/ in the bucket. The first one's reason: ${reason}. Those of a fault of ours are sent again by the platform; \`sluice parked\` lists them all and sends them on.`,
    measured: messages.length,
  };
}
