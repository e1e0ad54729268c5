/**
 * The Durable Object of one (topic, key, Idempotency-Key): storage, alarm and RPC. What to do next is `machine.ts`'s to say,
 * `keeper.ts` does it; this shell only connects them to the platform.
 */
import { DurableObject } from "cloudflare:workers";
import type { PreparedRequest, ReceiptBegin, ReceiptOutcome, ReceiptStub, RequestStamp } from "../stubs.ts";
import { topicQueue } from "../topic-queue.ts";
import { ReceiptKeeper } from "./keeper.ts";
import { ReceiptStore } from "./store.ts";

/** When the alarm rings again after a fault that the machine knows nothing of. */
const AFTER_FAULT_MS = 60_000;

/** Its environment holds the queues of the topics. */
export class Receipts extends DurableObject<object> implements ReceiptStub {
  readonly #keeper: ReceiptKeeper;

  constructor(context: DurableObjectState, env: object) {
    super(context, env);
    const { storage } = context;
    const store = new ReceiptStore(storage.sql);
    this.#keeper = new ReceiptKeeper({
      store,
      transaction: (work) => storage.transactionSync(work),
      send: async (topic, body) => void (await topicQueue(env, topic).send(body, { contentType: "bytes" })),
      setAlarm: (time) => storage.setAlarm(time),
      removeAll: async () => {
        await storage.deleteAlarm();
        await storage.deleteAll();
        store.dropped();
      },
      now: () => Date.now(),
      random: () => Math.random(),
    });
  }

  async begin(proposal: RequestStamp): Promise<ReceiptBegin> {
    return await this.#keeper.begin(proposal);
  }

  async submit(fingerprint: string, prepared: PreparedRequest | null): Promise<ReceiptOutcome> {
    return await this.#keeper.submit(fingerprint, prepared);
  }

  /** Nothing reaches the runtime, which gives up after six failures: a fault sets the alarm anew. */
  override async alarm(): Promise<void> {
    try {
      await this.#keeper.alarm();
    } catch (error) {
      console.error(JSON.stringify({ event: "receipt_alarm_failed", error: String(error) }));
      await this.ctx.storage.setAlarm(Date.now() + AFTER_FAULT_MS);
    }
  }
}
