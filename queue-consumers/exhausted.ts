/** The consumer of every dead-letter queue of the platform: what the queue gave up on is parked intact, never dropped. */
import { systemFault } from "./fault.ts";
import { type Outcome, settle, unavailable } from "./outcome.ts";
import { type ParkingBucket, park } from "./parking.ts";

export interface ExhaustedDeps {
  readonly bucket: ParkingBucket;
  log(event: Readonly<Record<string, unknown>>): void;
}

/** Parks every message of the batch; one that R2 does not take is retried. */
export async function parkExhausted(batch: MessageBatch, deps: ExhaustedDeps): Promise<void> {
  const outcomes = await Promise.all(
    batch.messages.map(async (message): Promise<Outcome> => {
      const fault = systemFault("exhausted", "the queue's retries were exhausted");
      try {
        await park(deps.bucket, batch.queue, message, fault);
        return { kind: "parked", fault };
      } catch (error) {
        return unavailable(String(error));
      }
    }),
  );
  batch.messages.forEach((message, i) => {
    settle(message, outcomes[i] ?? unavailable("no outcome"));
  });
  const parked = outcomes.filter((outcome) => outcome.kind === "parked").length;
  deps.log({ event: "parked", queue: batch.queue, messages: batch.messages.length, parked });
}
