/** What a live simulation did since it was last asked: the numbers of one line. */

export interface MeterReading {
  /** Events that the gateway stored or refused, per second. */
  readonly eventsPerSecond: number;
  /** Milliseconds from request to whole answer, nearest rank; null without an answer. */
  readonly p95: number | null;
  readonly p99: number | null;
  /** Requests without an answer or answered 429 or 5xx, among all; 0 to 1. */
  readonly errorRate: number;
  /** Refused events among those with a verdict; 0 to 1. */
  readonly rejectedShare: number;
}

export interface Meter {
  answered(latencyMs: number, status: number): void;
  unanswered(): void;
  /** Totals of the run so far. */
  verdicts(accepted: number, rejected: number): void;
  /** The reading since the last one, `seconds` ago, and a new beginning. */
  read(seconds: number): MeterReading;
}

export function createMeter(): Meter {
  let latencies: number[] = [];
  let requests = 0;
  let errors = 0;
  let now = { accepted: 0, rejected: 0 };
  let before = now;

  function rank(share: number): number | null {
    return latencies[Math.max(0, Math.ceil(latencies.length * share) - 1)] ?? null;
  }

  return {
    answered(latencyMs, status) {
      requests += 1;
      latencies.push(latencyMs);
      if (status === 429 || status >= 500) errors += 1;
    },
    unanswered() {
      requests += 1;
      errors += 1;
    },
    verdicts(accepted, rejected) {
      // A new run counts from zero again.
      if (accepted + rejected < now.accepted + now.rejected) before = { accepted: 0, rejected: 0 };
      now = { accepted, rejected };
    },
    read(seconds) {
      latencies.sort((a, b) => a - b);
      const rejected = now.rejected - before.rejected;
      const events = now.accepted - before.accepted + rejected;
      const reading = {
        eventsPerSecond: events / seconds,
        p95: rank(0.95),
        p99: rank(0.99),
        errorRate: requests === 0 ? 0 : errors / requests,
        rejectedShare: events === 0 ? 0 : rejected / events,
      };
      [latencies, requests, errors, before] = [[], 0, 0, now];
      return reading;
    },
  };
}

/** One line for the terminal. */
export function meterLine(reading: MeterReading): string {
  const ms = (value: number | null) => (value === null ? "-" : `${value.toFixed(1)} ms`);
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  return [
    `${reading.eventsPerSecond.toFixed(1)} events/s`,
    `p95 ${ms(reading.p95)}`,
    `p99 ${ms(reading.p99)}`,
    `errors ${percent(reading.errorRate)}`,
    `rejected ${percent(reading.rejectedShare)}`,
  ].join("   ");
}
