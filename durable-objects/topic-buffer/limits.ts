/** When a buffer flushes, and when it is so far behind that it takes nothing more. Pure. */
import type { Contract } from "../../contracts/contract.ts";
import type { Backlog } from "../../sql/statements/shards.ts";
import type { FlushLimits } from "./machine.ts";

/** The contract's thresholds; `ageSeconds` (a variable of the deployment, "0" for none) goes over its age. */
export function flushLimits(contract: Pick<Contract, "flush">, ageSeconds: string): FlushLimits {
  const seconds = Number(ageSeconds);
  return { ...contract.flush, ...(seconds > 0 ? { ageMs: seconds * 1_000 } : {}) };
}

export interface PressureLimits {
  readonly bytes: number;
  readonly ageMs: number;
}

/**
 * A tenth of what an object may store (PLATFORM, Limits), which a healed buffer flushes within minutes; and six hours, which no
 * flush takes that will succeed by itself: from then on producers should know.
 */
export const PRESSURE: PressureLimits = { bytes: 1_024 ** 3, ageMs: 6 * 3_600_000 };

/** `bytes` is a variable of the deployment: "0" is the default. */
export function pressureLimits(bytes: string): PressureLimits {
  return Number(bytes) > 0 ? { ...PRESSURE, bytes: Number(bytes) } : PRESSURE;
}

/** `far_behind`: appends are refused. `easing`: still over half of a limit, so that who was held off is not let in yet. */
export type Pressure = "none" | "easing" | "far_behind";

export function pressureOf(backlog: Backlog, limits: PressureLimits, now: number): Pressure {
  const age = backlog.oldestAt === null ? 0 : now - backlog.oldestAt;
  const share = Math.max(backlog.bytes / limits.bytes, age / limits.ageMs);
  if (share >= 1) return "far_behind";
  return share > 0.5 ? "easing" : "none";
}

/** How long a topic is held off after a buffer was last seen far behind: two ticks of the watchdog. */
export const HOLD_OFF_MS = 120_000;

/** For operators and for producers' answers; no values of events. */
export function pressureReason(shard: number, of: number, backlog: Backlog, now: number): string {
  const age = backlog.oldestAt === null ? 0 : Math.round((now - backlog.oldestAt) / 1_000);
  return `the buffer of shard ${shard} of ${of} has ${backlog.bytes} bytes that wait to be written, the oldest for ${age} s`;
}
