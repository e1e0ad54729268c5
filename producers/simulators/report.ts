/** What a run of simulated producers found: counts, latencies, and where the gateway's verdict was not the expected one. */
import type { ErrorType } from "../../contracts/verdict.ts";
import type { Label, SimulatedEvent } from "./plan.ts";
import { ALL_TOPICS, type SimulatedTopic } from "./topics.ts";

export type Outcome = "accepted" | ErrorType;

export interface Mismatch {
  readonly topic: SimulatedTopic;
  /** The event's text, at most 200 characters of it. */
  readonly excerpt: string;
  readonly label: Label;
  readonly expected: Outcome;
  readonly got: Outcome;
  /** What the gateway said of it. */
  readonly detail: string | null;
}

export interface TopicCounts {
  /** Events that were in at least one request. */
  readonly sent: number;
  readonly accepted: number;
  readonly rejected: number;
}

/** How far a run has come. */
export interface Progress extends TopicCounts {
  /** Requests that were made, answered or not, and how many of them repeated an earlier one in whole or in part. */
  readonly requests: number;
  readonly retries: number;
}

export interface SendReport extends Progress {
  /** A topic without events is absent. */
  readonly topics: Readonly<Partial<Record<SimulatedTopic, TopicCounts>>>;
  /** By type of the first error: how many the labels expect of the events that have a verdict, and how many there were. */
  readonly rejections: Readonly<Partial<Record<ErrorType, { readonly expected: number; readonly got: number }>>>;
  readonly mismatchCount: number;
  /** The first 100 of them. */
  readonly mismatches: readonly Mismatch[];
  /** Milliseconds from request to complete answer, over all requests answered (nearest rank); null without any. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
}

/** Collects a report while the run goes on. */
export interface Tally {
  sent(events: readonly SimulatedEvent[]): void;
  request(retry: boolean): void;
  answered(latencyMs: number): void;
  verdict(event: SimulatedEvent, got: Outcome, detail: string | null): void;
  progress(): Progress;
  report(): SendReport;
}

const MAX_MISMATCHES = 100;
const EXCERPT_LENGTH = 200;

export function createTally(): Tally {
  const topics = new Map<SimulatedTopic, { sent: number; accepted: number; rejected: number }>();
  const rejections: Partial<Record<ErrorType, { expected: number; got: number }>> = {};
  const mismatches: Mismatch[] = [];
  const latencies: number[] = [];
  let mismatchCount = 0;
  let requests = 0;
  let retries = 0;

  function countsOf(topic: SimulatedTopic): { sent: number; accepted: number; rejected: number } {
    const counts = topics.get(topic) ?? { sent: 0, accepted: 0, rejected: 0 };
    topics.set(topic, counts);
    return counts;
  }

  function bump(outcome: Outcome, side: "expected" | "got"): void {
    if (outcome === "accepted") return;
    const counts = rejections[outcome] ?? { expected: 0, got: 0 };
    counts[side] += 1;
    rejections[outcome] = counts;
  }

  function progress(): Progress {
    const total = { sent: 0, accepted: 0, rejected: 0 };
    for (const counts of topics.values()) {
      total.sent += counts.sent;
      total.accepted += counts.accepted;
      total.rejected += counts.rejected;
    }
    return { ...total, requests, retries };
  }

  return {
    sent(events) {
      for (const { topic } of events) countsOf(topic).sent += 1;
    },
    request(retry) {
      requests += 1;
      if (retry) retries += 1;
    },
    answered(latencyMs) {
      latencies.push(latencyMs);
    },
    verdict({ topic, line, label }, got, detail) {
      countsOf(topic)[got === "accepted" ? "accepted" : "rejected"] += 1;
      const expected = label.kind === "fault" ? label.expected : "accepted";
      bump(expected, "expected");
      bump(got, "got");
      if (got === expected) return;
      mismatchCount += 1;
      if (mismatches.length >= MAX_MISMATCHES) return;
      mismatches.push({ topic, excerpt: line.slice(0, EXCERPT_LENGTH), label, expected, got, detail });
    },
    progress,
    report() {
      const present = ALL_TOPICS.filter((topic) => topics.has(topic));
      return {
        ...progress(),
        topics: Object.fromEntries(present.map((topic) => [topic, { ...countsOf(topic) }])),
        rejections: structuredClone(rejections),
        mismatchCount,
        mismatches: [...mismatches],
        latencyMs: percentiles(latencies),
      };
    },
  };
}

function percentiles(samples: readonly number[]): SendReport["latencyMs"] {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1];
  const [p50, p95, p99] = [at(0.5), at(0.95), at(0.99)];
  return p50 === undefined || p95 === undefined || p99 === undefined ? null : { p50, p95, p99 };
}
