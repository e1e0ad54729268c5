/**
 * Keeps one receipt: takes the steps that `machine.ts` names. Between two awaits everything is one transaction, and one
 * delivery is under way at a time: requests that meet it wait for it.
 */
import type { PreparedRequest, ReceiptBegin, ReceiptOutcome, RequestStamp } from "../stubs.ts";
import { alarmOf, retryDelay, stepForAlarm, stepForBegin, stepForSubmit } from "./machine.ts";
import type { ReceiptStore } from "./store.ts";

/** Six connections may wait at once in a Worker (PLATFORM, Limits). */
const CONCURRENT_SENDS = 6;

export interface KeeperDeps {
  readonly store: ReceiptStore;
  /** Runs `work` in one transaction of the object's storage. */
  transaction(work: () => void): void;
  /** Resolves when the message is durable in the topic's queue. The buffer may be detached. */
  send(topic: string, body: Uint8Array): Promise<void>;
  /** Durable with the writes around it. Milliseconds since the epoch. */
  setAlarm(time: number): Promise<void>;
  /** Removes everything, the alarm too. */
  removeAll(): Promise<void>;
  now(): number;
  /** In [0, 1). */
  random(): number;
}

/** How a delivery ended. */
interface Delivery {
  readonly complete: boolean;
  readonly sent: number;
}

export class ReceiptKeeper {
  readonly #deps: KeeperDeps;
  #delivery: Promise<Delivery> | undefined;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
  }

  /** A request comes in. `proposal` is taken if the key is new; else the receipt's own stamp stands. */
  async begin(proposal: RequestStamp): Promise<ReceiptBegin> {
    const { store, transaction, now } = this.#deps;
    const receipt = store.receipt();
    const step = stepForBegin(receipt, now());
    if (step === "resume") return { state: "submitted" };
    if (step === "judge" && receipt !== null) {
      return { state: "begun", requestId: receipt.requestId, received: receipt.received };
    }
    // An expired receipt's delivery must not touch the new one's messages. Where there is none nothing is awaited: of two requests
    // that come at once, the second must find the receipt of the first, or it would put its own in that one's place.
    if (this.#delivery !== undefined) {
      await this.#delivery.catch(() => undefined);
      return await this.begin(proposal);
    }
    transaction(() => store.begin(proposal));
    await this.#arm();
    return { state: "begun", ...proposal };
  }

  /**
   * The body was read to its end, and judged unless `prepared` is null. Of several requests that judged at once the first
   * one's messages stand; the others get its answer.
   */
  async submit(fingerprint: string, prepared: PreparedRequest | null): Promise<ReceiptOutcome> {
    const { store, transaction, now } = this.#deps;
    const step = stepForSubmit(store.receipt(), fingerprint, prepared?.requestId ?? null, now());
    switch (step) {
      case "lost":
        return { state: "lost" };
      case "refuse":
        return { state: "reused" };
      case "commit":
        if (prepared !== null) transaction(() => store.prepare(fingerprint, prepared));
        return await this.#deliverAndAnswer(false);
      case "deliver":
        return await this.#deliverAndAnswer(true);
      case "repeat":
        return { state: "answered", answer: store.answer(), repeated: true, sent: 0 };
    }
  }

  async alarm(): Promise<void> {
    const { store, now, removeAll } = this.#deps;
    switch (stepForAlarm(store.receipt(), now())) {
      case "forget":
        if (this.#delivery !== undefined) {
          await this.#delivery.catch(() => undefined);
          return await this.alarm();
        }
        await removeAll();
        return;
      case "deliver":
        await this.#deliver();
        return;
      case "sleep":
        await this.#arm();
    }
  }

  async #deliverAndAnswer(repeated: boolean): Promise<ReceiptOutcome> {
    const { complete, sent } = await this.#deliver();
    if (!complete) return { state: "unsent", sent };
    return { state: "answered", answer: this.#deps.store.answer(), repeated, sent };
  }

  /** The delivery under way, or a new one. Only who began it is told how many messages it sent, so that they count once. */
  async #deliver(): Promise<Delivery> {
    if (this.#delivery !== undefined) return { ...(await this.#delivery), sent: 0 };
    this.#delivery = this.#sendUnsent();
    try {
      return await this.#delivery;
    } finally {
      this.#delivery = undefined;
    }
  }

  async #sendUnsent(): Promise<Delivery> {
    const { store, now, random } = this.#deps;
    const waiting = store.unsent();
    // Set before the first send: if the object dies now, the alarm goes on.
    store.noteFailure(now() + retryDelay(store.receipt()?.attempts ?? 0, random()));
    await this.#arm();
    let sent = 0;
    for (let at = 0; at < waiting.length; at += CONCURRENT_SENDS) {
      const outcomes = await Promise.all(waiting.slice(at, at + CONCURRENT_SENDS).map((id) => this.#send(id)));
      sent += outcomes.filter((durable) => durable).length;
    }
    const complete = sent === waiting.length;
    if (complete) store.markDone();
    await this.#arm();
    return { complete, sent };
  }

  async #send(id: number): Promise<boolean> {
    const { store, send } = this.#deps;
    const { topic, body } = store.message(id);
    try {
      await send(topic, body);
    } catch {
      return false; // It may have landed all the same: sent again, it has the same id, and the buffer drops it.
    }
    store.markSent(id);
    return true;
  }

  async #arm(): Promise<void> {
    const receipt = this.#deps.store.receipt();
    if (receipt !== null) await this.#deps.setAlarm(alarmOf(receipt));
  }
}
