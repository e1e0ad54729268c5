/**
 * Re-drives what was parked by a fault of ours, once that may be over: messages whose bytes are fine, and slices, which a deploy may
 * have learned to read. A few a run, each less often the more often it failed. Messages whose bytes are wrong are left to an operator.
 */

import { listAllParked, type ParkedMessage } from "../lakehouse/upkeep/parked/parked-message.ts";
import { noteParked } from "../lakehouse/upkeep/parked/parked-note.ts";
import { noteFailure, type RedriveDeps, type Redriven, redrive } from "../lakehouse/upkeep/parked/redrive.ts";
import { waitAfter } from "../schemas/backoff.ts";
import type { Duty, DutyLog, DutyReport } from "./duties.ts";

/** Messages of one run at most. */
const PER_RUN = 20;
const WAIT_MS = { first: 10 * 60_000, longest: 24 * 3_600_000 };

/** When a parked message may be tried, milliseconds since the epoch: ten minutes after it was touched last, doubling to a day. */
export function dueAt({ touched, redrives }: Pick<ParkedMessage, "touched" | "redrives">): number {
  return Date.parse(touched) + waitAfter(WAIT_MS, redrives);
}

export interface RedriveDutyDeps extends Omit<RedriveDeps, "bucket"> {
  readonly bucket: RedriveDeps["bucket"] & Pick<R2Bucket, "head" | "list">;
  readonly log: DutyLog;
}

export function redriveDuty(deps: RedriveDutyDeps): Duty {
  return {
    name: "redrive",
    everyMinutes: 5,
    async run(now, cursor) {
      const { messages: parked, truncated } = await listAllParked(deps.bucket, cursor ?? undefined);
      const [messages, slices] = [parked.filter(({ kind }) => kind === "message"), parked.filter(isSlice)];
      // Of what was put there by hand nobody knows yet.
      if (messages.length > 0) await noteParked(deps.bucket);
      const system = messages.filter(({ cause }) => cause === "system");
      const due = [...system, ...slices]
        .filter((message) => dueAt(message) <= now)
        .sort((a, b) => (a.touched < b.touched ? -1 : 1));
      const counts: Record<Redriven["kind"], number> = { sent: 0, discarded: 0, kept: 0, postponed: 0, not_found: 0 };
      let failed = false;
      for (const { key } of due.slice(0, PER_RUN)) {
        const outcome = await tryOne(key, deps);
        // What failed for one would fail for the others: the cause is not gone.
        failed = outcome === undefined;
        if (outcome === undefined) break;
        counts[outcome.kind]++;
      }
      return {
        parked_data: messages.length - system.length,
        parked_system: system.length,
        parked_slices: slices.length,
        due: due.length,
        ...counts,
        ...(failed ? {} : restOf(due.length, truncated ? parked.at(-1)?.key : undefined, cursor)),
      };
    },
  };
}

/** What is due is sent first, then what stands behind the listed ones is looked at. */
function restOf(due: number, behind: string | undefined, cursor: string | null): Pick<DutyReport, "more" | "cursor"> {
  const from = due > PER_RUN ? cursor : behind;
  if (due <= PER_RUN && behind === undefined) return {};
  return { more: "now", ...(from === null || from === undefined ? {} : { cursor: from }) };
}

function isSlice({ kind }: ParkedMessage): boolean {
  return kind === "slice";
}

async function tryOne(key: string, deps: RedriveDutyDeps): Promise<Redriven | undefined> {
  try {
    const outcome = await redrive(key, deps);
    deps.log({
      event: "redrive",
      key,
      outcome: outcome.kind,
      ...("detail" in outcome ? { detail: outcome.detail } : {}),
    });
    if (outcome.kind === "kept" || outcome.kind === "postponed") await noteFailure(key, deps.bucket);
    return outcome;
  } catch (error) {
    deps.log({ event: "redrive", key, outcome: "failed", error: String(error) });
    await noteFailure(key, deps.bucket);
    return undefined;
  }
}
