/** The real Worker with bindings that count what is billed. `GET /__operations` tells the counts so far. */
import worker, { Receipts as RealReceipts, TopicBuffer as RealTopicBuffer } from "../../../worker.ts";
import { countedBindings, sizeOf } from "./counted-bindings.ts";
import { countRows, settleRows } from "./counted-rows.ts";
import { noOperations, queueChunks } from "./operations.ts";

const operations = noOperations();
const bindings = countedBindings(operations);

/** Counts a call or an alarm of an object, its time and the rows that it touched. */
async function handled<T>(work: () => Promise<T>): Promise<T> {
  operations.objectRequests++;
  const started = Date.now();
  try {
    return await work();
  } finally {
    operations.objectMilliseconds += Date.now() - started;
    settleRows(operations);
  }
}

export class TopicBuffer extends RealTopicBuffer {
  constructor(context: DurableObjectState, env: Env) {
    countRows(context.storage, operations);
    super(context, bindings(env));
  }

  override append(...call: Parameters<RealTopicBuffer["append"]>): ReturnType<RealTopicBuffer["append"]> {
    return handled(() => super.append(...call));
  }

  override poke(...call: Parameters<RealTopicBuffer["poke"]>): ReturnType<RealTopicBuffer["poke"]> {
    return handled(() => super.poke(...call));
  }

  override alarm(): Promise<void> {
    return handled(() => super.alarm());
  }
}

export class Receipts extends RealReceipts {}

export default {
  fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname === "/__operations") return Response.json(operations);
    if (pathname !== "/healthz") operations.requests++;
    return worker.fetch(request, bindings(env), context);
  },
  async queue(batch, env) {
    // A read for each delivery; the delete, one a message, is counted with its write.
    for (const { body } of batch.messages) operations.queueOperations += queueChunks(sizeOf(body));
    await worker.queue(batch, bindings(env));
  },
  async scheduled(controller, env) {
    operations.requests++;
    await worker.scheduled(controller, bindings(env));
  },
} satisfies ExportedHandler<Env>;
