/**
 * One receipt under any schedule of requests, faulty sends, crashes and alarms: what is sent is one request's messages, an
 * answer is given only when all of them are durable, and all answers are the same.
 */

import fc from "fast-check";
import { expect, test } from "vitest";
import { ReceiptKeeper } from "../../durable-objects/receipts/keeper.ts";
import { KEPT_MS } from "../../durable-objects/receipts/machine.ts";
import { ReceiptStore } from "../../durable-objects/receipts/store.ts";
import type { PreparedRequest } from "../../durable-objects/stubs.ts";
import { longOrShare } from "../long-share.ts";
import { SqliteStorage } from "../oracle/sql-storage.ts";

/** What happens to a send: done; refused; done but the answer lost; the object dies before or after it. */
type SendFault = "ok" | "refused" | "lost" | "crashBefore" | "crashAfter";

type Action =
  /** A whole request with one of two bodies; `die`: its gateway is gone before it submits. */
  | { readonly do: "request"; readonly body: 0 | 1; readonly die: boolean }
  /** Two requests with the same body that both begin before either submits. */
  | { readonly do: "race"; readonly body: 0 | 1 }
  | { readonly do: "alarm" }
  | { readonly do: "crash" };

const arbitraryAction: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("request" as const), body: fc.constantFrom(0, 1), die: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("race" as const), body: fc.constantFrom(0, 1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("alarm" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const) }) },
);

class World {
  readonly storage = new SqliteStorage();
  /** Bytes by message id, every landing. */
  readonly landed: { readonly id: string; readonly text: string }[] = [];
  readonly answers = new Set<string>();
  now = 1_795_262_400_000;
  alarm: number | null = null;
  #faults: SendFault[];
  #life = 0;
  #judgements = 0;
  keeper: ReceiptKeeper;

  constructor(faults: readonly SendFault[]) {
    this.#faults = [...faults];
    this.keeper = this.#wake();
  }

  /** Everything in memory is lost; whatever was under way can touch nothing any more. */
  crash(): void {
    this.keeper = this.#wake();
  }

  #wake(): ReceiptKeeper {
    const life = ++this.#life;
    const alive = (): void => {
      if (life !== this.#life) throw new Error("the object is gone");
    };
    const store = new ReceiptStore({
      exec: (text, ...values) => {
        alive();
        return this.storage.exec(text, ...values);
      },
    });
    return new ReceiptKeeper({
      store,
      transaction: (work) => this.storage.transactionSync(work),
      send: async (_topic, body) => {
        const fault = this.#faults.shift() ?? "ok";
        await Promise.resolve();
        if (fault === "crashBefore") this.crash();
        alive();
        if (fault === "refused") throw new Error("refused");
        const [id = "", text = ""] = Buffer.from(body).toString().split(" ");
        this.landed.push({ id, text });
        if (fault === "crashAfter") this.crash();
        alive();
        if (fault === "lost") throw new Error("the answer was lost");
      },
      setAlarm: async (time) => {
        alive();
        this.alarm = time;
      },
      removeAll: async () => {
        alive();
        this.alarm = null;
        for (const table of ["receipt", "unsent", "answer"]) this.storage.exec(`DROP TABLE IF EXISTS ${table}`);
        store.dropped();
      },
      now: () => this.now,
      random: () => 0.5,
    });
  }

  /** No judgement is like another one: if two were sent, it would show. */
  judge(body: number, requestId: string): PreparedRequest {
    const judgement = ++this.#judgements;
    const messages = Array.from({ length: 8 }, (_, i) => ({
      topic: "orders",
      body: new Uint8Array(Buffer.from(`${requestId}/${i} body${body}-judgement${judgement}-message${i}`)),
    }));
    return {
      requestId,
      answer: { status: 202, contentType: "application/json", body: `${body} ${judgement}` },
      messages,
    };
  }

  async begin(): Promise<string | null> {
    const begun = await this.keeper.begin({ requestId: `r${this.now}`, received: this.now * 1_000 });
    return begun.state === "begun" ? begun.requestId : null;
  }

  async submit(body: number, requestId: string | null): Promise<void> {
    const prepared = requestId === null ? null : this.judge(body, requestId);
    const outcome = await this.keeper.submit(`fingerprint ${body}`, prepared);
    if (outcome.state === "answered") {
      const { body: answer } = outcome.answer;
      this.answers.add(answer);
      expect(answer.startsWith(`${body} `)).toBe(true);
      const judgement = `judgement${answer.slice(2)}-`;
      const its = this.landed.filter(({ text }) => text.includes(judgement));
      expect(new Set(its.map(({ id }) => id)).size).toBe(8);
    }
  }

  async act(action: Action): Promise<void> {
    this.now += 7_000;
    try {
      switch (action.do) {
        case "request": {
          const requestId = await this.begin();
          if (!action.die) await this.submit(action.body, requestId);
          return;
        }
        case "race": {
          const ids = [await this.begin(), await this.begin()];
          const outcomes = await Promise.allSettled(ids.map((id) => this.submit(action.body, id)));
          for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
          return;
        }
        case "alarm":
          if (this.alarm !== null && this.alarm <= this.now) {
            this.alarm = null;
            await this.keeper.alarm();
          }
          return;
        case "crash":
          this.crash();
      }
    } catch (error) {
      if (!(error instanceof Error) || error.message !== "the object is gone") throw error;
      // As the platform does: an alarm that fails rings again.
      this.alarm ??= this.now;
    }
  }
}

test("whatever fails, one judgement's messages are sent under their ids, and every answer is that judgement's", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitraryAction, { minLength: 1, maxLength: 12 }),
      fc.array(fc.constantFrom<SendFault>("ok", "ok", "refused", "lost", "crashBefore", "crashAfter"), {
        maxLength: 40,
      }),
      async (actions, faults) => {
        const world = new World(faults);
        for (const action of actions) await world.act(action);
        const judgements = new Set(world.landed.map(({ text }) => text.replace(/-message\d+$/, "")));
        expect(judgements.size).toBeLessThanOrEqual(1);
        const texts = new Map<string, string>();
        for (const { id, text } of world.landed) {
          expect(texts.get(id) ?? text).toBe(text);
          texts.set(id, text);
        }
        expect(world.answers.size).toBeLessThanOrEqual(1);

        // Alone, the alarm brings to its end whatever was committed, and forgets it after a day.
        const committed = world.landed.length > 0;
        for (let round = 0; round < 80 && world.alarm !== null; round++) {
          world.now = Math.max(world.now, world.alarm);
          await world.act({ do: "alarm" });
        }
        expect(world.alarm).toBeNull();
        if (committed) expect(new Set(world.landed.map(({ id }) => id)).size).toBe(8);
        expect(await world.begin()).toBe(`r${world.now}`);
      },
    ),
    { numRuns: longOrShare(300, 100) },
  );
});

test("a key is free again after a day", async () => {
  const world = new World([]);
  await world.act({ do: "request", body: 0, die: false });
  world.now += KEPT_MS;
  await world.act({ do: "request", body: 1, die: false });
  expect(world.answers.size).toBe(2);
});
