/**
 * The real Worker with bindings that fail on demand. `POST /__faults` arms them: `{"TOPIC_ORDERS.send": {"fail": [1, 3]}}`
 * makes the first and third call from now on fail; plans.ts says what else there is. `TopicBuffer.alarm` and
 * `TopicBuffer.append` are the object's own calls, where `fail` loses the alarm; `queue` is the delivery of a batch.
 * `POST /__send?topic=orders` sends the body as a message past the gateway.
 */
import type { AppendResult, ShardAddress } from "../../../durable-objects/stubs.ts";
import { topicQueue } from "../../../durable-objects/topic-queue.ts";
import worker, { Receipts as RealReceipts, TopicBuffer as RealTopicBuffer } from "../../../worker.ts";
import { callWithFault, withFaults } from "./bindings.ts";
import { deliver } from "./delivery.ts";
import { armPlans, nextFault } from "./plans.ts";

export class TopicBuffer extends RealTopicBuffer {
  readonly #crash: () => void;

  constructor(context: DurableObjectState, env: Env) {
    const crash = () => context.abort("made to crash");
    super(context, withFaults(env, crash));
    this.#crash = crash;
  }

  override append(address: ShardAddress, frames: Uint8Array): Promise<AppendResult> {
    return callWithFault("TopicBuffer.append", this.#crash, () => super.append(address, frames));
  }

  override async alarm(): Promise<void> {
    const { fault } = nextFault("TopicBuffer.alarm");
    if (fault === "fail") return console.log("ALARM LOST");
    await (fault === "twice" ? Promise.all([super.alarm(), super.alarm()]) : super.alarm());
    if (fault === "crash") this.#crash();
  }
}

export class Receipts extends RealReceipts {
  constructor(context: DurableObjectState, env: Env) {
    super(
      context,
      withFaults(env, () => context.abort("made to crash")),
    );
  }
}

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/__send") {
      await topicQueue(env, searchParams.get("topic") ?? "").send(await request.bytes(), { contentType: "bytes" });
      return new Response();
    }
    if (pathname === "/__faults") return Response.json({ armed: armPlans(await request.json()) });
    return worker.fetch(request, withFaults(env), context);
  },
  queue: (batch, env) => deliver(batch, (each) => worker.queue(each, withFaults(env))),
  scheduled: (controller, env) => worker.scheduled(controller, withFaults(env)),
} satisfies ExportedHandler<Env>;
