/**
 * One TopicBuffer without workerd: the real store, append and flush on SQLite, R2 and D1 that fail, a clock and an alarm
 * that the schedule turns, and crashes: everything in memory is lost, whatever was under way never comes back.
 */

import type { AppendResult } from "../../../durable-objects/stubs.ts";
import { appendFrames } from "../../../durable-objects/topic-buffer/append.ts";
import { type FlushDeps, runFlush } from "../../../durable-objects/topic-buffer/flush.ts";
import { alarmToSet, nextAlarm } from "../../../durable-objects/topic-buffer/machine.ts";
import { RememberedIds } from "../../../durable-objects/topic-buffer/remembered-ids.ts";
import { BufferStore } from "../../../durable-objects/topic-buffer/store.ts";
import { listShard } from "../../../sql/statements/shards.ts";
import { FaultyD1 } from "../../oracle/faulty-d1.ts";
import { MemoryBucket } from "../../oracle/memory-bucket.ts";
import { SqliteStorage } from "../../oracle/sql-storage.ts";
import { weather } from "../../oracle/weather.ts";

/** What happens to one call to R2 or D1. `before`: refused; `after`: done, the answer lost; `crash...`: the object dies. */
export type IoFault = "ok" | "before" | "after" | "crashBefore" | "crashAfter";

export const ADDRESS = { topic: "weather", shard: 0, of: 1 };
export const LIMITS = { bytes: 3_000, rows: 6, ageMs: 10_000 };

/** The life of the object between two crashes; what belongs to a life that ended can do nothing any more. */
class Life {
  ended = false;
  readonly store: BufferStore;
  readonly ids: RememberedIds;
  readonly storage: SqliteStorage;
  permitHeld = false;

  constructor(storage: SqliteStorage) {
    this.storage = storage;
    this.store = new BufferStore({
      exec: (sql, ...values) => {
        this.check();
        return storage.exec(sql, ...values);
      },
    });
    this.ids = new RememberedIds(this.store);
  }

  check(): void {
    if (this.ended) throw new Error("the object is gone");
  }
}

export class Shard {
  readonly bucket = new MemoryBucket();
  readonly d1: FaultyD1;
  readonly storage = new SqliteStorage();
  now: number;
  alarm: number | null = null;
  /** Ids that an append said are durable. */
  readonly stored = new Set<string>();
  /** Keys whose object was put twice: bronze is immutable. */
  readonly overwritten: string[] = [];
  crashes = 0;
  failures = 0;
  #life: Life;
  #faults: IoFault[] = [];

  constructor(now: number) {
    this.now = now;
    this.d1 = new FaultyD1(() => this.now);
    this.d1.around = (work) => this.#io(work);
    this.#life = new Life(this.storage);
  }

  /** The faults of the next calls, in their order. */
  inject(faults: readonly IoFault[]): void {
    this.#faults = [...faults];
  }

  crash(): void {
    this.#life.ended = true;
    this.#life = new Life(this.storage);
    this.crashes++;
  }

  /** An append's result, or undefined when the caller got none. */
  async append(frames: Uint8Array): Promise<AppendResult | undefined> {
    const life = this.#life;
    return this.#unlessGone(life, async () => {
      this.#incarnation(life);
      if (!life.store.isListed()) {
        const shard = { topic: ADDRESS.topic, shard: ADDRESS.shard, shardOf: ADDRESS.of };
        await listShard(this.d1.binding, shard, new Date(this.now).toISOString()).run();
        life.store.markListed();
      }
      const result = appendFrames(
        { store: life.store, ids: life.ids, transaction: this.#transaction(life), isFull: () => false },
        frames,
        this.now,
      );
      this.#arm(life);
      for (const id of result.stored) this.stored.add(id);
      return result;
    });
  }

  /** The alarm handler, whether it is due or not: alarms come at least once. */
  async ring(busy = false): Promise<void> {
    const life = this.#life;
    this.alarm = null;
    await this.#unlessGone(life, async () => {
      if (!this.#exists(life)) return;
      const incarnation = this.#incarnation(life);
      const target = { address: ADDRESS, incarnation, contract: weather, limits: LIMITS };
      const outcome = await runFlush(this.#deps(life, busy), target);
      if (outcome === "failed") this.failures++;
      this.#arm(life, outcome === "busy" ? this.now + 100 : 0);
    });
  }

  /** The watchdog: sets the alarm where a lost one left work. */
  poke(): void {
    if (this.#exists(this.#life)) this.#arm(this.#life);
  }

  /** Whether the object was ever asked to append: before, it has no identity. */
  #exists(life: Life): boolean {
    return life.storage.exec("SELECT 1 FROM identity").toArray().length === 1;
  }

  #incarnation(life: Life): string {
    return life.store.incarnation(() => `life${String(this.crashes).padStart(4, "0")}`);
  }

  #arm(life: Life, holdUntil = 0): void {
    const wanted = alarmToSet(this.alarm, nextAlarm(life.store.state(), LIMITS, this.now), holdUntil);
    if (wanted !== undefined) this.alarm = wanted;
  }

  #transaction(life: Life): (work: () => void) => void {
    return (work) => {
      life.check();
      this.storage.transactionSync(work);
    };
  }

  #deps(life: Life, busy: boolean): FlushDeps {
    return {
      store: life.store,
      ids: life.ids,
      bucket: {
        put: (...put: Parameters<MemoryBucket["put"]>) => this.#io(() => this.#put(...put)),
        head: (key) => this.#io(() => this.bucket.head(key)),
      },
      db: this.d1.binding,
      transaction: this.#transaction(life),
      permit: () => {
        if (busy || life.permitHeld) return undefined;
        life.permitHeld = true;
        return {
          [Symbol.dispose]() {
            life.permitHeld = false;
          },
        };
      },
      now: () => this.now,
      random: () => 0.5,
      log: () => {},
    };
  }

  async #put(...put: Parameters<MemoryBucket["put"]>): Promise<R2Object> {
    const before = this.bucket.objects.get(put[0]);
    const answer = await this.bucket.put(...put);
    if (before !== undefined && this.bucket.objects.get(put[0]) !== before) this.overwritten.push(put[0]);
    return answer;
  }

  async #io<R>(work: () => Promise<R>): Promise<R> {
    const life = this.#life;
    const fault = this.#faults.shift() ?? "ok";
    if (fault === "crashBefore") this.crash();
    life.check();
    if (fault === "before") throw new Error("refused");
    const result = await work();
    if (fault === "crashAfter" && !life.ended) this.crash();
    life.check();
    if (fault === "after") throw new Error("the answer was lost");
    return result;
  }

  /** What a fault of R2 or D1 makes the caller see; nothing at all from a life that ended. */
  async #unlessGone<R>(life: Life, work: () => Promise<R>): Promise<R | undefined> {
    try {
      const result = await work();
      return life.ended ? undefined : result;
    } catch (error) {
      if (life.ended) return undefined;
      if (error instanceof Error && /refused|answer was lost/.test(error.message)) return undefined;
      throw error;
    }
  }
}
