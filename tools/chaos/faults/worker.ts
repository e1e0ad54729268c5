/**
 * The real Worker with bindings that fail on demand. `POST /__faults` arms them: `{"TOPIC_ORDERS.send": {"fail": [1, 3]}}`
 * makes the first and third call from now on fail; plans.ts says what else there is. `TopicBuffer.alarm` and
 * `TopicBuffer.append` are the object's own calls, where `fail` loses the alarm and `aborts` reset the object in the middle; `queue` is the delivery of a batch, `build` and `builder` that of a build message.
 * `POST /__send?topic=orders` sends the body as a message past the gateway. `POST` to clock.ts's path sets the clock ahead.
 */
import type { AppendResult, ShardAddress } from "../../../durable-objects/stubs.ts";
import { topicQueue } from "../../../durable-objects/topic-queue.ts";
import worker, { Receipts as RealReceipts, TopicBuffer as RealTopicBuffer } from "../../../worker.ts";
import { callAsPlanned, withFaults } from "./bindings.ts";
import { deliverMortal } from "./builder.ts";
import { bringAlarmForward, CLOCK_PATH, clockedStorage, setAhead } from "./clock.ts";
import { deliver } from "./delivery.ts";
import { armPlans, nextFault } from "./plans.ts";
import { countedStorage, createStepCounter, type StepCounter } from "./steps.ts";

// wrangler.toml wants the objects' classes of any entry; those that fail stand below.
export * from "../../../worker.ts";

/** Of the objects that were made in this isolate. */
const objects = { TOPIC_BUFFER: new Set<string>(), RECEIPTS: new Set<string>() };

function objectsOf(env: Env): Fetcher[] {
  const { TOPIC_BUFFER: buffers, RECEIPTS: receipts } = env;
  return [
    ...[...objects.TOPIC_BUFFER].map((id) => buffers.get(buffers.idFromString(id))),
    ...[...objects.RECEIPTS].map((id) => receipts.get(receipts.idFromString(id))),
  ];
}

export class TopicBuffer extends RealTopicBuffer {
  readonly #runtimeStorage: DurableObjectStorage;
  readonly #crash: () => void;
  readonly #steps: StepCounter;

  constructor(context: DurableObjectState, env: Env) {
    const crash = () => context.abort("made to crash");
    const steps = createStepCounter(crash);
    // The base class takes no other context than the runtime's own.
    const runtimeStorage = context.storage;
    const storage = countedStorage(clockedStorage(runtimeStorage), steps.step);
    Object.defineProperty(context, "storage", { value: storage, configurable: true });
    super(context, withFaults(env, { crash, onStep: steps.step }));
    objects.TOPIC_BUFFER.add(context.id.toString());
    this.#runtimeStorage = runtimeStorage;
    this.#crash = crash;
    this.#steps = steps;
  }

  override fetch(request: Request): Promise<Response> {
    return bringAlarmForward(this.#runtimeStorage, request);
  }

  override append(address: ShardAddress, frames: Uint8Array): Promise<AppendResult> {
    const planned = nextFault("TopicBuffer.append");
    return this.#steps.endAfter(planned.abortAfter, "TopicBuffer.append", () =>
      callAsPlanned("TopicBuffer.append", planned, this.#crash, () => super.append(address, frames)),
    );
  }

  override async alarm(): Promise<void> {
    const { fault, abortAfter } = nextFault("TopicBuffer.alarm");
    if (fault === "fail") return console.log("ALARM LOST");
    await this.#steps.endAfter(abortAfter, "TopicBuffer.alarm", async () => {
      await (fault === "twice" ? Promise.all([super.alarm(), super.alarm()]) : super.alarm());
    });
    if (fault === "crash") this.#crash();
  }
}

export class Receipts extends RealReceipts {
  readonly #runtimeStorage: DurableObjectStorage;

  constructor(context: DurableObjectState, env: Env) {
    const runtimeStorage = context.storage;
    Object.defineProperty(context, "storage", { value: clockedStorage(runtimeStorage), configurable: true });
    super(context, withFaults(env, { crash: () => context.abort("made to crash") }));
    objects.RECEIPTS.add(context.id.toString());
    this.#runtimeStorage = runtimeStorage;
  }

  override fetch(request: Request): Promise<Response> {
    return bringAlarmForward(this.#runtimeStorage, request);
  }
}

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/__send") {
      await topicQueue(env, searchParams.get("topic") ?? "").send(await request.bytes(), { contentType: "bytes" });
      return new Response();
    }
    if (pathname === CLOCK_PATH) {
      await setAhead(Number(searchParams.get("ahead")), objectsOf(env));
      return new Response();
    }
    if (pathname === "/__faults") return Response.json({ armed: armPlans(await request.json()) });
    return worker.fetch(request, withFaults(env), context);
  },
  queue: (batch, env) =>
    deliver(batch, (each) =>
      batch.queue.endsWith("-builds")
        ? deliverMortal(each, withFaults(env), worker.queue)
        : worker.queue(each, withFaults(env)),
    ),
  scheduled: (controller, env) => worker.scheduled(controller, withFaults(env)),
} satisfies ExportedHandler<Env>;
