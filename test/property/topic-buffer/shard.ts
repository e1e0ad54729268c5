/**
 * One TopicBuffer without workerd: the real store, append and flush on SQLite, R2 and D1 that fail, a clock and an alarm
 * that the schedule turns, and crashes: everything in memory is lost, whatever was under way never comes back.
 */

import type { Contract } from "../../../contracts/contract.ts";
import type { AppendResult, Backlog, ShardAddress } from "../../../durable-objects/stubs.ts";
import { appendFrames } from "../../../durable-objects/topic-buffer/append.ts";
import { type FlushDeps, runFlush } from "../../../durable-objects/topic-buffer/flush.ts";
import { pressureOf } from "../../../durable-objects/topic-buffer/limits.ts";
import { alarmToSet, isIdle, nextAlarm } from "../../../durable-objects/topic-buffer/machine.ts";
import { RememberedIds } from "../../../durable-objects/topic-buffer/remembered-ids.ts";
import { retire } from "../../../durable-objects/topic-buffer/retirement.ts";
import { BufferStore } from "../../../durable-objects/topic-buffer/store.ts";
import { LAYOUT_POLICY, type LayoutPolicy, UNSTORED_POLICY } from "../../../lakehouse/bronze/files.ts";
import { permitOfProcess } from "../../../lakehouse/engine/parquet/wasm.ts";
import { listShard } from "../../../sql/statements/shards.ts";
import type { FaultyD1 } from "../../oracle/faulty-d1.ts";
import type { MemoryBucket } from "../../oracle/memory-bucket.ts";
import { SqliteStorage } from "../../oracle/sql-storage.ts";
import { weather } from "../../oracle/weather.ts";
import { SharedLake } from "./shared-lake.ts";

/**
 * What happens to one call to R2 or D1. `before`: refused; `after`: done, the answer lost; `crash...`: the object dies; `slow`: it
 * takes longer than a flush age, and others go on meanwhile; `late`: the caller is told that it failed, and then it is done after
 * all, behind calls that came later; `taken`: under the key of the bronze file that is put stands somebody else's object;
 * `deploy`: done, then the object dies and goes on under a deploy that lays files out otherwise; `folded`: done, the answer lost, and
 * what is registered leaves the catalog.
 */
export type IoFault =
  | "ok"
  | "before"
  | "after"
  | "crashBefore"
  | "crashAfter"
  | "slow"
  | "late"
  | "taken"
  | "deploy"
  | "folded";

/** Every call refused until it is over. */
export type Outage = "none" | "r2" | "d1" | "both";

export const ADDRESS = { topic: "weather", shard: 0, of: 1 };
export const LIMITS = { bytes: 3_000, rows: 6, ageMs: 10_000 };
/** A few messages: so that schedules meet it. */
const PRESSURE = { bytes: 1_800, ageMs: 24 * 3_600_000 };
const SLOW_MS = 15_000;

/** How deploys lay out files, in turn; each would put the rows of most flushes elsewhere than the one before. */
const LAYOUTS: readonly LayoutPolicy[] = [
  LAYOUT_POLICY,
  UNSTORED_POLICY,
  { ownNewest: 1, rareRows: 2, datesAFile: 2 },
  { ownNewest: 0, rareRows: 0, datesAFile: 1 },
];

/** The life of the object between two crashes; what belongs to a life that ended can do nothing any more. */
class Life {
  ended = false;
  readonly store: BufferStore;
  readonly ids: RememberedIds;
  readonly storage: SqliteStorage;
  permitHeld = false;

  constructor(storage: SqliteStorage) {
    this.storage = storage;
    // So few bytes that some appends make a block longer, and others begin one.
    this.store = new BufferStore(
      {
        exec: (sql, ...values) => {
          this.check();
          return storage.exec(sql, ...values);
        },
      },
      700,
    );
    // So few that schedules meet both: appends that a flush notes, and appends that note themselves.
    this.ids = new RememberedIds(this.store, 3);
  }

  check(): void {
    if (this.ended) throw new Error("the object is gone");
  }
}

export class Shard {
  readonly lake: SharedLake;
  readonly address: ShardAddress;
  /** As the deploy that runs has it. */
  contract: Contract = weather;
  storage = new SqliteStorage();
  alarm: number | null = null;
  outage: Outage = "none";
  /** How many deploys there were before the one that runs. */
  deploys = 0;
  /** Ids that an append said are durable, in the order in which it first said so. */
  readonly stored = new Set<string>();
  /** Of those, what the object no longer knows: its storage was reset since, and no queue delivers them again. */
  readonly sealed = new Set<string>();
  /** Keys whose object was put twice: bronze is immutable. */
  readonly overwritten: string[] = [];
  readonly seen = {
    crashes: 0,
    failures: 0,
    refused: 0,
    lostAnswers: 0,
    slow: 0,
    late: 0,
    taken: 0,
    outages: 0,
    resets: 0,
    lostAlarms: 0,
    deploys: 0,
  };
  #life: Life;
  #faults: IoFault[] = [];
  #late: (() => Promise<unknown>)[] = [];
  /** Keys under which somebody else's object stands. */
  readonly #taken = new Set<string>();

  constructor(now: number, address: ShardAddress = ADDRESS, lake = new SharedLake(now)) {
    this.lake = lake;
    this.address = address;
    this.#life = new Life(this.storage);
  }

  get now(): number {
    return this.lake.now;
  }
  set now(now: number) {
    this.lake.now = now;
  }
  get bucket(): MemoryBucket {
    return this.lake.bucket;
  }
  get d1(): FaultyD1 {
    return this.lake.d1;
  }

  /** The faults of the next calls, in their order. */
  inject(faults: readonly IoFault[]): void {
    this.#faults = [...faults];
  }

  crash(): void {
    this.#life.ended = true;
    this.#life = new Life(this.storage);
    this.seen.crashes++;
  }

  /** Another deploy takes over. */
  deploy(): void {
    this.crash();
    this.deploys++;
    this.seen.deploys++;
  }

  /** The alarm is gone though the object has work. */
  loseAlarm(): void {
    if (this.alarm !== null) this.seen.lostAlarms++;
    this.alarm = null;
  }

  /** An empty object loses its storage, ids and sequence numbers included; one that holds something is only restarted. */
  reset(): void {
    const idle = isIdle(this.#life.store.state());
    this.crash();
    if (!idle) return;
    this.storage = new SqliteStorage();
    this.#life = new Life(this.storage);
    this.alarm = null;
    for (const id of this.stored) this.sealed.add(id);
    this.seen.resets++;
  }

  /** An append's result, or undefined when the caller got none. */
  async append(frames: Uint8Array): Promise<AppendResult | undefined> {
    const life = this.#life;
    return this.#unlessGone(life, async () => {
      this.#incarnation(life);
      if (!life.store.isListed()) {
        await this.#io("d1", () => listShard(this.d1.binding, this.#name(), new Date(this.now).toISOString()).run());
        life.store.markListed();
      }
      const isFull = (now: number) => pressureOf(life.store.backlog(), PRESSURE, now) === "far_behind";
      const deps = { store: life.store, ids: life.ids, transaction: this.#transaction(life), isFull };
      const result = appendFrames(deps, frames, this.now);
      this.#arm(life);
      for (const id of result.stored) this.stored.add(id);
      this.seen.refused += result.refused.length;
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
      const layout = LAYOUTS[this.deploys % LAYOUTS.length] ?? LAYOUT_POLICY;
      const target = { address: this.address, incarnation, contract: this.contract, limits: LIMITS, layout };
      const outcome = await runFlush(this.#deps(life, busy), target);
      if (outcome === "failed") this.seen.failures++;
      this.#arm(life, outcome === "busy" ? this.now + 100 : 0);
    });
  }

  /** The watchdog's question: sets the alarm where a lost one left work. */
  poke(): Backlog {
    if (!this.#exists(this.#life)) return { rows: 0, bytes: 0, oldestAt: null };
    if (!isIdle(this.#life.store.state())) this.#arm(this.#life);
    return this.#life.store.backlog();
  }

  /** What the object knows of its blocks in memory, and what its storage says. */
  totals(): readonly [known: unknown, stored: unknown] {
    const of = (store: BufferStore) => ({ ...store.state(), backlog: store.backlog() });
    return [of(this.#life.store), of(new BufferStore(this.storage))];
  }

  /** As the object's. */
  retire(): boolean {
    this.#incarnation(this.#life);
    return retire(this.#life.store, this.now);
  }

  /** The faults are over: what was late arrives, alarms ring when they are due until there is none. */
  async drain(): Promise<void> {
    this.outage = "none";
    this.inject([]);
    await this.#arrive();
    for (const key of this.#taken) this.bucket.objects.delete(key);
    this.#taken.clear();
    this.poke();
    for (let rings = 0; this.alarm !== null; rings++) {
      if (rings > 300) throw new Error("the alarms never end");
      this.now = Math.max(this.now, this.alarm);
      await this.ring();
    }
  }

  /** Whether the object was ever asked to append: before, it has no identity. */
  #exists(life: Life): boolean {
    return life.storage.exec("SELECT 1 FROM identity").toArray().length === 1;
  }

  #incarnation(life: Life): string {
    // Random in the object; here another one for each object and life.
    return life.store.incarnation(() => `of${this.address.of}life${String(this.seen.crashes).padStart(4, "0")}`);
  }

  #name() {
    return { topic: this.address.topic, shard: this.address.shard, shardOf: this.address.of };
  }

  #arm(life: Life, holdUntil = 0): void {
    const wanted = alarmToSet(this.alarm, nextAlarm(life.store.state(), LIMITS, this.now), holdUntil);
    if (wanted !== undefined) this.alarm = wanted;
  }

  #transaction(life: Life): (work: () => void) => void {
    return (work) => {
      life.check();
      life.storage.transactionSync(work);
    };
  }

  #deps(life: Life, busy: boolean): FlushDeps {
    const { binding } = this.d1;
    return {
      store: life.store,
      ids: life.ids,
      bucket: {
        put: (...put: Parameters<MemoryBucket["put"]>) => this.#io("r2", () => this.#put(...put), put[0]),
        head: (key) => this.#io("r2", () => this.bucket.head(key)),
      },
      db: {
        prepare: (sql) => binding.prepare(sql),
        batch: <T>(statements: D1PreparedStatement[]) => this.#io("d1", () => binding.batch<T>(statements)),
        exec: (sql) => binding.exec(sql),
        dump: () => binding.dump(),
        withSession: () => binding.withSession(),
      },
      transaction: this.#transaction(life),
      permit: () => {
        if (busy || life.permitHeld) return undefined;
        life.permitHeld = true;
        const permit = permitOfProcess();
        permit[Symbol.dispose] = () => {
          life.permitHeld = false;
        };
        return permit;
      },
      pause: async () => life.check(),
      now: () => this.now,
      random: () => 0.5,
      log: () => {},
    };
  }

  async #put(...put: Parameters<MemoryBucket["put"]>): Promise<R2Object> {
    const before = this.bucket.objects.get(put[0]);
    const answer = await this.bucket.put(...put);
    const after = this.bucket.objects.get(put[0]);
    // What is parked is put without a condition, since it can only be the same.
    if (before !== undefined && after?.etag !== before.etag) this.overwritten.push(put[0]);
    if (before !== undefined && after !== before && put[0].startsWith("bronze")) this.overwritten.push(put[0]);
    return answer;
  }

  async #io<R>(side: "r2" | "d1", work: () => Promise<R>, key?: string): Promise<R> {
    const life = this.#life;
    const fault = this.#faults.shift() ?? "ok";
    if (this.outage === side || this.outage === "both") {
      this.seen.outages++;
      throw new Error("refused");
    }
    if (fault === "crashBefore") this.crash();
    life.check();
    if (fault === "before") throw new Error("refused");
    if (fault === "taken" && key !== undefined) await this.#take(key);
    if (fault === "late") {
      this.seen.late++;
      this.#late.push(work);
      throw new Error("the answer was lost");
    }
    if (fault === "slow") {
      this.seen.slow++;
      this.now += SLOW_MS;
      for (let i = 0; i < 20; i++) await Promise.resolve();
    }
    const result = await work();
    if (this.#late.length > 1) await this.#arrive();
    if (fault === "crashAfter" && !life.ended) this.crash();
    if (fault === "deploy" && !life.ended) this.deploy();
    life.check();
    if (fault === "folded") this.lake.fold();
    if (fault === "after" || fault === "folded") {
      this.seen.lostAnswers++;
      throw new Error("the answer was lost");
    }
    return result;
  }

  /** Somebody else writes under our name, until an operator clears it away. */
  async #take(key: string): Promise<void> {
    if (!key.startsWith("bronze") || this.bucket.objects.has(key)) return;
    await this.bucket.put(key, "not ours", { customMetadata: { input: "not ours" } });
    this.#taken.add(key);
    this.seen.taken++;
  }

  /** What was late is done now, whether anybody still waits for it or not. */
  async #arrive(): Promise<void> {
    for (const work of this.#late.splice(0)) await work();
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
