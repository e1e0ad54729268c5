/**
 * The numbers of messages whose send failed: their events were answered as `retry`, and the ledger must not take them for lost. The
 * next message of the topic says them. Module state for the reason that `instance.ts` gives; a range is told once, by a message
 * whose own send did not fail.
 */
import { mergeRanges, type NumberRange } from "../schemas/number-ranges.ts";

/** Two varints each: a message's header grows by 1.2 KB at most. */
const TOLD_AT_ONCE = 200;
/** An outage fails numbers in one run, which is one range: more ranges than this are not kept, and are suspected losses. */
const KEPT = 2_000;

const pending = new Map<string, NumberRange[]>();

/** What a message of the topic is to tell; whoever takes it gives it back by `noteUnsent` if that message fails too. */
export function takeUnsent(topic: string): readonly NumberRange[] {
  return pending.get(topic)?.splice(0, TOLD_AT_ONCE) ?? [];
}

/** Notes numbers that no message that was sent has. */
export function noteUnsent(topic: string, ranges: readonly NumberRange[]): void {
  pending.set(topic, mergeRanges([...(pending.get(topic) ?? []), ...ranges]).slice(-KEPT));
}
