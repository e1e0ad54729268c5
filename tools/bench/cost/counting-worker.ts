/**
 * The real Worker with bindings that count what is billed. `/__operations` tells the counts so far, `/__tick` is a minute of the
 * cron, `/__rows` answers the `n` of the query in its body, uncounted.
 */
import worker, { Receipts as RealReceipts, TopicBuffer as RealTopicBuffer } from "../../../worker.ts";
import { noOperations, queueChunks } from "../../prices.ts";
import { countedBindings, sizeOf } from "./counted-bindings.ts";
import { countRows, settleRows } from "./counted-rows.ts";

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

async function tick(controller: ScheduledController, env: Env): Promise<void> {
  operations.requests++;
  await worker.scheduled(controller, bindings(env));
}

export class Receipts extends RealReceipts {}

export default {
  async fetch(request, env, context) {
    switch (new URL(request.url).pathname) {
      case "/__operations":
        return Response.json(operations);
      case "/__tick":
        await tick({ cron: "* * * * *", scheduledTime: Date.now(), noRetry: () => {} }, env);
        return Response.json({});
      case "/__rows":
        return Response.json({ n: await env.DB.prepare(await request.text()).first("n") });
      case "/healthz":
        break;
      default:
        operations.requests++;
    }
    return worker.fetch(request, bindings(env), context);
  },
  async queue(batch, env) {
    // A read for each delivery; the delete, one a message, is counted with its write.
    for (const { body } of batch.messages) operations.queueOperations += queueChunks(sizeOf(body));
    await worker.queue(batch, bindings(env));
  },
  scheduled: tick,
} satisfies ExportedHandler<Env>;
