/** `--simulate`: producers that never stop, in real time. */
import { setTimeout as delay } from "node:timers/promises";
import { type SimulatedEvent, simulate } from "../../producers/simulators/plan.ts";
import { type Post, SendError, sendSimulated } from "../../producers/simulators/send.ts";
import { createMeter, meterLine } from "./meter.ts";

export interface LiveSimulation {
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Events per second. */
  readonly rate: number;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

const LINE_EVERY_SECONDS = 10;
/** The simulators plan a stretch of time: short enough that its end is "now" to the contracts' windows. */
const STRETCH_SECONDS = 600;

/** Sends until the signal is aborted, and prints a line every ten seconds. A gateway that fails is reported and tried again. */
export async function simulateLive(options: LiveSimulation): Promise<void> {
  const { baseUrl, apiKey, rate, signal, log } = options;
  const meter = createMeter();
  const timer = setInterval(() => log(meterLine(meter.read(LINE_EVERY_SECONDS))), LINE_EVERY_SECONDS * 1000);
  const post: Post = async (url, init) => {
    const startedMs = performance.now();
    try {
      const response = await fetch(url, init);
      const text = await response.text();
      meter.answered(performance.now() - startedMs, response.status);
      return { status: response.status, headers: response.headers, text: async () => text };
    } catch (error) {
      if (!init.signal.aborted) meter.unanswered();
      throw error;
    }
  };
  try {
    while (!signal.aborted) {
      const startMs = Date.now();
      const endMs = startMs + STRETCH_SECONDS * 1000;
      const events = simulate({ seed: startMs % 2 ** 31, events: Math.ceil(rate * STRETCH_SECONDS), startMs, endMs });
      try {
        await sendSimulated({
          baseUrl,
          apiKey,
          events: inRealTime(events, rate, signal),
          // A tenth of a second's worth: an event waits little for others of its topic.
          batchSize: Math.min(200, Math.max(1, Math.round(rate / 10))),
          fetch: post,
          signal,
          onProgress: ({ accepted, rejected }) => meter.verdicts(accepted, rejected),
        });
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof SendError)) throw error;
        log(`simulation: ${error.message}; it goes on in ${LINE_EVERY_SECONDS} s`);
        await delay(LINE_EVERY_SECONDS * 1000, undefined, { signal }).catch(() => {});
      }
    }
  } finally {
    clearInterval(timer);
  }
}

/** Hands out events at their pace; ends when the signal is aborted. */
export async function* inRealTime(
  events: Iterable<SimulatedEvent>,
  rate: number,
  signal: AbortSignal,
): AsyncGenerator<SimulatedEvent, void, undefined> {
  const startedMs = performance.now();
  let sent = 0;
  for (const event of events) {
    const waitMs = startedMs + (sent * 1000) / rate - performance.now();
    // Timers are coarse: shorter waits are left to add up.
    if (waitMs > 5) await delay(waitMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    yield event;
    sent += 1;
  }
}
