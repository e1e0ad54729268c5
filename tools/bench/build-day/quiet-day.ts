/** A day of quiet topics: each has an event now and then, in a request of its own. */

import { createRandom } from "../../../producers/simulators/random.ts";
import { createProgressBar } from "../../progress.ts";
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

/** Runs the day's first `hours`, after one before it. Each event comes at a random time, to a random topic. */
export async function quietDay(platform: VirtualPlatform, start: number, hours: number): Promise<QuietDay> {
  const everyMs = DAY_MS / (QUIET_TOPICS * QUIET_EVENTS);
  const bodies = Array.from({ length: QUIET_TOPICS }, quietBody);
  const random = createRandom(17);
  const done: Usage[] = [];
  const bar = createProgressBar("quiet day", hours + 1);
  let sent = 0;
  await platform.run(start - HOUR_MS);
  let before = await platform.usage();
  for (let hour = -1; hour < hours; hour++) {
    const from = start + hour * HOUR_MS;
    const times = Array.from({ length: Math.round(HOUR_MS / everyMs) }, () => from + random.float() * HOUR_MS);
    for (const at of times.map(Math.floor).sort((a, b) => a - b)) {
      const topic = random.int(0, QUIET_TOPICS - 1);
      await platform.post(quietTopic(topic), bodies[topic]!.stamped(sent++, at), at);
    }
    await platform.run(from + HOUR_MS);
    const now = await platform.usage();
    if (hour >= 0) done.push(between(before, now));
    before = now;
    bar.update(hour + 2);
  }
  bar.finish();
  return { hours: done, sent };
}
