/** Producers that never stop, in real time: streams at a rate, databases polled by the clock. */
import { setTimeout as delay } from "node:timers/promises";
import type { LiveSource } from "../../producers/simulators/live.ts";
import { type SimulatedEvent, type SimulationOptions, simulate } from "../../producers/simulators/plan.ts";
import type { SendReport } from "../../producers/simulators/report.ts";
import { type Post, SendError, sendSimulated } from "../../producers/simulators/send.ts";
import { createMeter, type Meter, meterLine } from "./meter.ts";
import type { Watermarks } from "./watermarks.ts";

export interface LiveSimulation {
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Events per second of the streams; 0: none. */
  readonly rate: number;
  /** The streams' topics and their shares; the shop's if not given. */
  readonly topics?: SimulationOptions["topics"];
  readonly shares?: SimulationOptions["shares"];
  /** The streams' seed; the time if not given. */
  readonly seed?: number;
  readonly polled?: { readonly sources: readonly LiveSource[]; readonly watermarks: Watermarks };
  /** Ends the simulation: nothing new is made. */
  readonly signal: AbortSignal;
  /** Breaks off what is under way; `signal` does, if not given. */
  readonly kill?: AbortSignal;
  readonly log: (line: string) => void;
}

/** What came of a live simulation. A mismatch is a verdict that was not the expected one, of the runs that came to their end. */
export interface LiveResult {
  readonly accepted: number;
  readonly rejected: number;
  readonly mismatches: number;
}

const LINE_EVERY_SECONDS = 10;
/** The simulators plan a stretch of time: short enough that its end is "now" to the contracts' windows. */
const STRETCH_SECONDS = 600;
const SHOWN_MISMATCHES = 3;

/** Sends until the signal is aborted, and prints a line every ten seconds. A gateway that fails is reported and tried again. */
export async function simulateLive(options: LiveSimulation): Promise<LiveResult> {
  const { rate, signal, log, polled } = options;
  const meter = createMeter();
  const sender = createSender(options, meter);
  const timer = setInterval(() => log(meterLine(meter.read(LINE_EVERY_SECONDS))), LINE_EVERY_SECONDS * 1000);
  try {
    await Promise.all([
      rate > 0 ? stream(options, sender) : undefined,
      ...(polled?.sources ?? []).map((source) => pollByTheClock(source, polled?.watermarks, sender, signal)),
    ]);
  } finally {
    clearInterval(timer);
  }
  return sender.result();
}

async function stream({ rate, signal, seed, topics, shares }: LiveSimulation, sender: Sender): Promise<void> {
  for (let stretch = 0; !signal.aborted; stretch++) {
    const startMs = Date.now();
    const events = simulate({
      seed: seed === undefined ? startMs % 2 ** 31 : seed + stretch,
      events: Math.ceil(rate * STRETCH_SECONDS),
      startMs,
      endMs: startMs + STRETCH_SECONDS * 1000,
      ...(topics === undefined ? {} : { topics }),
      ...(shares === undefined ? {} : { shares }),
    });
    // A tenth of a second's worth: an event waits little for others of its topic.
    await sender.send(inRealTime(events, rate, signal), Math.min(200, Math.max(1, Math.round(rate / 10))));
  }
}

async function pollByTheClock(
  source: LiveSource,
  watermarks: Watermarks | undefined,
  sender: Sender,
  signal: AbortSignal,
): Promise<void> {
  const { topic, everyMs } = source;
  while (!signal.aborted) {
    const nowMs = Date.now();
    const { events, watermarkMs } = source.poll(watermarks?.read(topic) ?? null, nowMs);
    // What was not stored is polled again: the watermark moves behind the answer, never before it.
    if (!(await sender.send(events, 200))) continue;
    watermarks?.write(topic, watermarkMs);
    const nextMs = (Math.floor(nowMs / everyMs) + 1) * everyMs;
    await delay(nextMs - Date.now(), undefined, { signal }).catch(() => {});
  }
}

interface Sender {
  /** Sends all; false if the gateway failed for good, after a pause, or the simulation was broken off. */
  send(events: Iterable<SimulatedEvent> | AsyncIterable<SimulatedEvent>, batchSize: number): Promise<boolean>;
  result(): LiveResult;
}

function createSender({ baseUrl, apiKey, signal, kill = signal, log }: LiveSimulation, meter: Meter): Sender {
  const ended = { accepted: 0, rejected: 0, mismatches: 0 };
  const running = new Map<object, { readonly accepted: number; readonly rejected: number }>();
  const post = measuredPost(meter);

  function total(): LiveResult {
    const sum = { ...ended };
    for (const { accepted, rejected } of running.values()) {
      sum.accepted += accepted;
      sum.rejected += rejected;
    }
    return sum;
  }

  function reportMismatches({ mismatchCount, mismatches }: SendReport): void {
    ended.mismatches += mismatchCount;
    for (const { topic, expected, got, detail, excerpt } of mismatches.slice(0, SHOWN_MISMATCHES)) {
      log(`${topic}: expected ${expected}, got ${got} (${detail ?? "no detail"}): ${excerpt}`);
    }
    if (mismatchCount > SHOWN_MISMATCHES) log(`... ${mismatchCount} verdicts in all were not the expected ones`);
  }

  return {
    result: total,
    async send(events, batchSize) {
      const run = {};
      try {
        const report = await sendSimulated({
          baseUrl,
          apiKey,
          events,
          batchSize,
          fetch: post,
          signal: kill,
          onProgress(progress) {
            running.set(run, progress);
            const { accepted, rejected } = total();
            meter.verdicts(accepted, rejected);
          },
        });
        reportMismatches(report);
        return true;
      } catch (error) {
        if (kill.aborted) return false;
        if (!(error instanceof SendError)) throw error;
        log(`simulation: ${error.message}; it goes on in ${LINE_EVERY_SECONDS} s`);
        await delay(LINE_EVERY_SECONDS * 1000, undefined, { signal }).catch(() => {});
        return false;
      } finally {
        const counts = running.get(run);
        running.delete(run);
        ended.accepted += counts?.accepted ?? 0;
        ended.rejected += counts?.rejected ?? 0;
      }
    },
  };
}

/** `fetch` that tells the meter how long whole answers took. */
function measuredPost(meter: Meter): Post {
  return async (url, init) => {
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
