/** A day of quiet topics: each has an event now and then, in a request of its own. */
import { quietTopic } from "./project.ts";
import { quietBody } from "./traffic.ts";
import { between, type Usage } from "./usage.ts";
import type { VirtualPlatform } from "./virtual-platform.ts";

export const QUIET_TOPICS = 20;
export const QUIET_EVENTS = 1_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export interface QuietDay {
  /** By hour. */
  readonly hours: readonly Usage[];
  readonly sent: number;
}

/** Runs the day's first `hours`, after one before it: topics take turns, so that their events lie evenly. */
export async function quietDay(
  platform: VirtualPlatform,
  start: number,
  hours: number,
  log: (line: string) => void,
): Promise<QuietDay> {
  const everyMs = DAY_MS / (QUIET_TOPICS * QUIET_EVENTS);
  const bodies = Array.from({ length: QUIET_TOPICS }, quietBody);
  const done: Usage[] = [];
  let sent = 0;
  await platform.run(start - HOUR_MS);
  let before = await platform.usage();
  for (let hour = -1; hour < hours; hour++) {
    const from = start + hour * HOUR_MS;
    for (let number = 0; number < HOUR_MS / everyMs; number++) {
      const at = from + number * everyMs;
      const topic = sent % QUIET_TOPICS;
      await platform.run(at);
      await platform.post(quietTopic(topic), bodies[topic]!.stamped(Math.floor(sent / QUIET_TOPICS), at));
      sent++;
    }
    await platform.run(from + HOUR_MS);
    const now = await platform.usage();
    if (hour >= 0) done.push(between(before, now));
    before = now;
    log(`quiet topics, hour ${hour + 1} of ${hours}`);
  }
  return { hours: done, sent };
}
