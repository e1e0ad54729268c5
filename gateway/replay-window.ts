/**
 * How far back a topic is read as a stream: by peeks, lists and replays of dead letters. `replayWindow` of its contract says so, in
 * whole UTC dates. It deletes nothing, and parked messages go on however old they are: what was accepted is owed.
 */
import type { Contract } from "../contracts/contract.ts";
import { formatTimestamp } from "../schemas/time.ts";
import { ProblemError } from "./problem.ts";

const DAY_MS = 86_400_000;

type Windowed = Pick<Contract, "topic" | "replayWindowMs">;

/** The first microsecond since the epoch that a stream of the topic reaches at `now` (milliseconds since the epoch). */
export function replayedFrom({ replayWindowMs }: Windowed, now: number): number {
  return Math.floor((now - replayWindowMs) / DAY_MS) * DAY_MS * 1_000;
}

/** Throws INVALID_PARAMETER for a time (microseconds) before that, with how to read what is older; `name`: the parameter. */
export function requireInWindow(contract: Windowed, now: number, name: string, micros: number): void {
  const earliest = replayedFrom(contract, now);
  if (micros >= earliest) return;
  const { topic, replayWindowMs } = contract;
  throw new ProblemError(
    "INVALID_PARAMETER",
    `${name}: ${topic} is read as a stream back to ${formatTimestamp(earliest)} (replayWindow of its contract, ` +
      `${Math.round((replayWindowMs / DAY_MS) * 100) / 100} d); what is older stands in its tables: npm run query, or a longer replayWindow`,
  );
}
