/** Events through the client SDK: counts, and the first rejections with their place in the source. */
import { createClient, type DeliveryProblem, type Verdict } from "../../../producers/client/client.ts";
import type { Fetch } from "../../../producers/client/transport.ts";
import type { SourceEvent } from "./read-events.ts";

export interface DeliveryOptions {
  readonly url: string;
  readonly key: string;
  readonly topic: string;
  readonly events: AsyncIterable<SourceEvent>;
  /** Events in a request at most. */
  readonly batch: number;
  /** Called after each verdict; `bytes` of the source are done with. */
  readonly onProgress: (report: DeliveryReport, bytes: number) => void;
  /** Called when a request failed and is tried again. */
  readonly onTrouble: (problem: DeliveryProblem) => void;
  readonly fetch?: Fetch;
}

export interface ReportedRejection {
  readonly position: number;
  readonly eventId: string | null;
  readonly reason: string;
}

export interface DeliveryReport {
  accepted: number;
  rejected: number;
  /** Taken from the source, but not known to be stored. */
  undelivered: number;
  /** The first of them, in the order of the source as far as their verdicts came in time. */
  readonly rejections: ReportedRejection[];
  /** Why the run was broken off; the source was not read to its end then. */
  failure: DeliveryProblem | null;
}

export const REPORTED_REJECTIONS = 20;
/** A person waits; a service would go on. */
const GIVE_UP_AFTER_MS = 60_000;

/** Sends all, or stops reading at the first event that cannot be delivered. */
export async function deliver(options: DeliveryOptions): Promise<DeliveryReport> {
  const report: DeliveryReport = { accepted: 0, rejected: 0, undelivered: 0, rejections: [], failure: null };
  const client = createClient<Record<string, object>>({
    url: options.url,
    key: options.key,
    maxBatchEvents: options.batch,
    // Large batches of a file need more than the bytes of a service's trickle; the gateway takes 20 MiB.
    maxBatchBytes: 2_000_000,
    giveUpAfterMs: GIVE_UP_AFTER_MS,
    onError: ({ willRetry, problem }) => {
      if (willRetry) options.onTrouble(problem);
    },
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
  let bytes = 0;

  function reject(position: number, eventId: string | null, reason: string): void {
    report.rejected++;
    // Verdicts of several requests come in any order; sorted in, the list is the source's beginning.
    report.rejections.push({ position, eventId, reason });
    report.rejections.sort((a, b) => a.position - b.position);
    if (report.rejections.length > REPORTED_REJECTIONS) report.rejections.pop();
  }

  function count({ position, endsAt }: SourceEvent, verdict: Verdict): void {
    if (verdict.status === "accepted") report.accepted++;
    else if (verdict.status === "rejected") {
      const [first] = verdict.errors;
      const reason = first === undefined ? "" : `${first.error_type} ${first.pointer} ${first.detail}`;
      reject(position, verdict.eventId, reason.replace(/ {2,}/g, " ").trim());
    } else {
      report.undelivered++;
      report.failure ??= verdict.problem;
    }
    bytes = Math.max(bytes, endsAt);
    options.onProgress(report, bytes);
  }

  try {
    for await (const event of options.events) {
      if (event.text === null) {
        reject(event.position, null, "MALFORMED_PAYLOAD the line is not UTF-8; it was not sent");
        continue;
      }
      await client.ready();
      if (report.failure !== null) break;
      void client.sendJson(options.topic, event.text).then((verdict) => count(event, verdict));
    }
  } finally {
    // Longer than giving up takes: every event gets its verdict.
    await client.close({ timeoutMs: 2 * GIVE_UP_AFTER_MS });
  }
  return report;
}
