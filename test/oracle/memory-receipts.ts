/** Receipts without workerd: the real keeper and store on SQLite, one a name; alarms ring when the test says so. */
import { ReceiptKeeper } from "../../durable-objects/receipts/keeper.ts";
import { ReceiptStore } from "../../durable-objects/receipts/store.ts";
import type { ReceiptStub } from "../../durable-objects/stubs.ts";
import { SqliteStorage } from "./sql-storage.ts";

type Send = (topic: string, body: Uint8Array) => Promise<void>;

class MemoryReceipt {
  readonly keeper: ReceiptKeeper;
  alarm: number | null = null;

  constructor(send: Send, now: () => number) {
    const storage = new SqliteStorage();
    const store = new ReceiptStore(storage);
    this.keeper = new ReceiptKeeper({
      store,
      transaction: (work) => storage.transactionSync(work),
      send,
      setAlarm: async (time) => {
        this.alarm = time;
      },
      removeAll: async () => {
        this.alarm = null;
        for (const table of ["receipt", "unsent", "answer"]) storage.exec(`DROP TABLE IF EXISTS ${table}`);
        store.dropped();
      },
      now,
      random: () => 0.5,
    });
  }
}

export class MemoryReceipts {
  readonly #all = new Map<string, MemoryReceipt>();
  readonly #send: Send;
  readonly #now: () => number;

  constructor(send: Send, now: () => number) {
    this.#send = send;
    this.#now = now;
  }

  open(name: string): ReceiptStub {
    let receipt = this.#all.get(name);
    if (receipt === undefined) {
      receipt = new MemoryReceipt(this.#send, this.#now);
      this.#all.set(name, receipt);
    }
    return receipt.keeper;
  }

  /** Rings every alarm that is due. */
  async ring(): Promise<void> {
    for (const receipt of this.#all.values()) {
      if (receipt.alarm === null || receipt.alarm > this.#now()) continue;
      receipt.alarm = null;
      await receipt.keeper.alarm();
    }
  }
}
