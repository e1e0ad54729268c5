/**
 * What a TopicBuffer does next. Pure: the state of the store, the limits and the time in; one step and the next alarm out.
 *
 *     open blocks --freeze--> frozen --write--> written --register--> registered --forget--> (gone)
 *
 * A write stores the flush's layout before its first put (`layout-store.ts`), and a later try keeps to it.
 *
 * A crash after any step finds the state that the step left, and the same step or the next follows: every step may be
 * done twice. One flush is under way at a time; appends go on beside it.
 */
import { scatteredWaitAfter } from "../../schemas/backoff.ts";

const RETRY_MS = { first: 1_000, longest: 300_000 };

export interface BufferState {
  /** Blocks that no flush has claimed. `oldestAt` is null when there is none. Times are milliseconds since the epoch. */
  readonly open: { readonly rows: number; readonly bytes: number; readonly oldestAt: number | null };
  readonly flush: FlushState | null;
}

export interface FlushState {
  readonly seq: number;
  readonly step: "frozen" | "written" | "registered";
  /** Failures of the present step, and the time before which it is not tried again. */
  readonly attempts: number;
  readonly notBefore: number;
}

export interface FlushLimits {
  readonly bytes: number;
  readonly rows: number;
  readonly ageMs: number;
  /** Blocks appended until then are due, whatever their age: an operator asked. Milliseconds since the epoch. */
  readonly dueThrough?: number;
}

export type Step =
  | { readonly do: "freeze" }
  | { readonly do: "write"; readonly seq: number }
  | { readonly do: "register"; readonly seq: number }
  | { readonly do: "forget"; readonly seq: number }
  | { readonly do: "sleep"; readonly until: number | null };

/** Whether only an append can give the machine work. */
export function isIdle({ open, flush }: BufferState): boolean {
  return open.oldestAt === null && flush === null;
}

/** The one thing to do now; `sleep` until null means until the next append. */
export function nextStep(state: BufferState, limits: FlushLimits, now: number): Step {
  const { flush, open } = state;
  if (flush !== null) {
    // A wait longer than any that is ever asked for was noted by a clock that has gone back since.
    if (flush.notBefore > now && flush.notBefore <= now + RETRY_MS.longest)
      return { do: "sleep", until: flush.notBefore };
    switch (flush.step) {
      case "frozen":
        return { do: "write", seq: flush.seq };
      case "written":
        return { do: "register", seq: flush.seq };
      case "registered":
        return { do: "forget", seq: flush.seq };
    }
  }
  if (open.oldestAt === null) return { do: "sleep", until: null };
  const full = open.bytes >= limits.bytes || open.rows >= limits.rows;
  // A block from the future was appended by a clock that has gone back since: nobody knows its age.
  const asked = limits.dueThrough !== undefined && open.oldestAt <= limits.dueThrough;
  const due = full || asked || open.oldestAt > now ? now : open.oldestAt + limits.ageMs;
  return due <= now ? { do: "freeze" } : { do: "sleep", until: due };
}

/** When the alarm must ring for the machine to go on by itself; null when only an append can give it work. */
export function nextAlarm(state: BufferState, limits: FlushLimits, now: number): number | null {
  const step = nextStep(state, limits, now);
  return step.do === "sleep" ? step.until : now;
}

/** The alarm to set; undefined when the present one (null: none) rings soon enough or there is nothing to ring for. No earlier than `holdUntil`. */
export function alarmToSet(current: number | null, due: number | null, holdUntil: number): number | undefined {
  if (due === null) return undefined;
  const wanted = Math.max(due, holdUntil);
  return current === null || current > wanted ? wanted : undefined;
}

/** Milliseconds before a step is tried again. */
export function retryDelay(attempts: number, random: number): number {
  return scatteredWaitAfter(RETRY_MS, attempts, random);
}
