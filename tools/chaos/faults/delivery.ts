/** What a queue may do and Miniflare's never does: a batch twice, in another order, once more later, held back, or unacknowledged. */
import { InjectedFault, nextFault } from "./plans.ts";

type Consume = (batch: MessageBatch) => Promise<void>;

/** A copy of an earlier batch that comes once more after the next one. */
const waiting = new Map<string, MessageBatch>();

const HELD_SECONDS = 1;

/** Hands a batch on as planned for `queue`: faults of any queue are planned under one name. */
export async function deliver(batch: MessageBatch, consume: Consume): Promise<void> {
  const earlier = waiting.get(batch.queue);
  waiting.delete(batch.queue);
  const { fault, number } = nextFault("queue");
  switch (fault) {
    case "hold":
      batch.retryAll({ delaySeconds: HELD_SECONDS });
      break;
    case "twice":
      await Promise.all([consume(batch), consume(echoOf(batch))]);
      break;
    case "reverse":
      await consume(withMessages(batch, [...batch.messages].reverse()));
      break;
    case "again":
      waiting.set(batch.queue, echoOf(batch));
      await consume(batch);
      break;
    case "lose":
      await consume(batch);
      throw new InjectedFault(`batch ${number} was consumed and not acknowledged`);
    case "fail":
      throw new InjectedFault(`batch ${number} was not consumed`);
    default:
      await consume(batch);
  }
  if (earlier !== undefined) await consume(earlier);
}

/** The same messages with other settlements: what a consumer says to a repeat, the queue does not hear. */
function echoOf(batch: MessageBatch): MessageBatch {
  const messages = batch.messages.map(({ id, timestamp, body, attempts }) => ({
    id,
    timestamp,
    body: body instanceof ArrayBuffer ? body.slice() : body,
    attempts: attempts + 1,
    ack: () => {},
    retry: () => {},
  }));
  return withMessages(batch, messages);
}

function withMessages(batch: MessageBatch, messages: readonly Message[]): MessageBatch {
  return {
    messages,
    queue: batch.queue,
    metadata: batch.metadata,
    ackAll: () => batch.ackAll(),
    retryAll: (options) => batch.retryAll(options),
  };
}
