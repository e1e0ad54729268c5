/** Rates under a load that goes on: how fast events are accepted, and how fast they come into bronze. */
import { setTimeout as delay } from "node:timers/promises";

export interface Watched {
  /** Let pass before anything is measured. */
  readonly leadSeconds: number;
  /** Measured for at least so long. */
  readonly seconds: number;
  /** Rows of bronze's registered files. */
  registered(): Promise<number>;
  /** Events that were accepted. */
  accepted(): number;
}

/** Events a second. */
export interface SustainedRates {
  readonly accepted: number;
  readonly registered: number;
}

const POLL_MS = 50;
/** Buffers flush every few seconds under any load. */
const STUCK_MS = 60_000;

/**
 * Files are registered a hundred thousand rows at a time, so the rates are taken from the moment of a registration to that of another
 * one. Throws Error when none comes.
 */
export async function sustained(watched: Watched): Promise<SustainedRates> {
  await delay(watched.leadSeconds * 1_000);
  const first = await nextRegistration(watched);
  await delay(watched.seconds * 1_000);
  const last = await nextRegistration(watched);
  const seconds = (last.at - first.at) / 1_000;
  return {
    accepted: (last.accepted - first.accepted) / seconds,
    registered: (last.registered - first.registered) / seconds,
  };
}

interface Registration {
  readonly registered: number;
  readonly accepted: number;
  /** Milliseconds. */
  readonly at: number;
}

async function nextRegistration(watched: Watched): Promise<Registration> {
  const before = await watched.registered();
  const deadline = performance.now() + STUCK_MS;
  while (performance.now() < deadline) {
    const registered = await watched.registered();
    if (registered !== before) return { registered, accepted: watched.accepted(), at: performance.now() };
    await delay(POLL_MS);
  }
  throw new Error(`no file of bronze was registered within ${STUCK_MS / 1_000} s`);
}
