/**
 * When our own events are in bronze, though others send to the topic too. Pure. A count alone cannot tell whose rows it
 * counts, so three things must come true one after the other: bronze has as many rows more as were accepted; the queue holds
 * nothing sent before our last answer; after that, no buffer holds anything appended before the queue was seen so.
 */

/** Times are milliseconds since the epoch. */
export interface Look {
  /** The gateway's clock. */
  readonly asOf: number;
  /** Rows more than at the beginning, others' included. */
  readonly rows: number;
  /** null where it was not asked for. */
  readonly waiting: {
    /** When the oldest message was sent; null: the queue is empty. */
    readonly oldestSent: number | null;
    /** When the oldest event that only a buffer holds was appended; null: there is none. */
    readonly oldestAppended: number | null;
  } | null;
}

export interface Progress {
  /** How many looks in a row found the queue without anything of ours. */
  readonly drainedLooks: number;
  /** From when on nothing of ours can have been appended any more; null: not known yet. */
  readonly appendedBy: number | null;
  readonly done: boolean;
}

export const BEGINNING: Progress = { drainedLooks: 0, appendedBy: null, done: false };

/** Clocks of gateway, queue and buffers differ by less. */
export const CLOCK_MARGIN_MS = 1_000;
/** A queue does not count the batch that a consumer has in hands just then: one look may miss it. */
const LOOKS = 2;

/** `answered`: the gateway's clock after our last answer. `accepted`: how many rows are ours. */
export function nextProgress(
  before: Progress,
  look: Look,
  { answered, accepted }: { readonly answered: number; readonly accepted: number },
): Progress {
  const { waiting } = look;
  if (look.rows < accepted || waiting === null) return before;
  const { oldestSent, oldestAppended } = waiting;
  if (before.appendedBy === null) {
    const drained = oldestSent === null || oldestSent > answered + CLOCK_MARGIN_MS;
    const drainedLooks = drained ? before.drainedLooks + 1 : 0;
    if (drainedLooks < LOOKS) return { ...BEGINNING, drainedLooks };
    // The buffers were asked after the queue: their answer counts already.
    return nextProgress({ drainedLooks, appendedBy: look.asOf, done: false }, look, { answered, accepted });
  }
  const done = oldestAppended === null || oldestAppended > before.appendedBy + CLOCK_MARGIN_MS;
  return { ...before, done };
}
