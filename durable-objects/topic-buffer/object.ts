/**
 * The Durable Object of one shard of one topic: storage, alarm and RPC. What to do next is `machine.ts`'s to say,
 * `append.ts` and `flush.ts` do it; this shell only connects them to the platform.
 */
import { DurableObject } from "cloudflare:workers";
import type { Contract } from "../../contracts/contract.ts";
import { contractOf } from "../../contracts/registry.ts";
import { releaseWasmOf, tryAcquireWasm } from "../../lakehouse/engine/parquet/wasm.ts";
import { putBackPressure } from "../../sql/statements/back-pressure.ts";
import { listShard } from "../../sql/statements/shards.ts";
import type {
  AppendResult,
  Backlog,
  BufferedEvent,
  BufferSearchStub,
  ShardAddress,
  TopicBufferStub,
  Unflushed,
} from "../stubs.ts";
import { type AppendDeps, appendFrames } from "./append.ts";
import { findBuffered } from "./find.ts";
import { type FlushDeps, runFlush } from "./flush.ts";
import { flushLimits, HOLD_OFF_MS, type PressureLimits, pressureLimits, pressureOf, pressureReason } from "./limits.ts";
import { alarmToSet, type FlushLimits, isIdle, nextAlarm } from "./machine.ts";
import { RememberedIds } from "./remembered-ids.ts";
import { retire } from "./retirement.ts";
import { BufferStore } from "./store.ts";

export interface TopicBufferEnv {
  readonly LAKE: R2Bucket;
  readonly DB: D1Database;
  /** Flush age in seconds in place of the contracts'; "0": as the contract says. */
  readonly FLUSH_AGE_SECONDS: string;
  /** How many waiting bytes make a buffer refuse appends, in place of a gigabyte; "0": a gigabyte. */
  readonly BACK_PRESSURE_BYTES: string;
}

/** How long to wait when another operation of the isolate holds parquet-wasm, at the least; jitter doubles it at most. */
const WASM_BUSY_MS = 100;
/** When the alarm rings again after a fault that the machine knows nothing of: no contract in this deploy, storage that fails. */
const AFTER_FAULT_MS = 60_000;
/** A buffer that refuses says so in D1 this often at the most. */
const TELL_MS = 30_000;
/** Where the time stands at which an operator last asked for a flush. */
const FLUSH_ASKED = "flush_asked";

export class TopicBuffer extends DurableObject<TopicBufferEnv> implements TopicBufferStub, BufferSearchStub {
  readonly #store: BufferStore;
  readonly #deps: FlushDeps & AppendDeps;
  readonly #pressure: PressureLimits;
  /** When D1 was last told that this buffer refuses. */
  #toldAt = 0;
  /** Before this time another operation of the isolate is expected to hold parquet-wasm: an earlier alarm would only spin. */
  #wasmBusyUntil = 0;

  constructor(context: DurableObjectState, env: TopicBufferEnv) {
    super(context, env);
    const owner = context.id.toString();
    releaseWasmOf(owner);
    this.#store = new BufferStore(context.storage.sql);
    this.#pressure = pressureLimits(env.BACK_PRESSURE_BYTES);
    this.#deps = {
      store: this.#store,
      ids: new RememberedIds(this.#store),
      bucket: env.LAKE,
      db: env.DB,
      transaction: (work) => context.storage.transactionSync(work),
      isFull: (now) => pressureOf(this.#store.backlog(), this.#pressure, now) === "far_behind",
      permit: () => tryAcquireWasm({ owner }),
      pause: () => scheduler.wait(0),
      now: () => Date.now(),
      random: () => Math.random(),
      log: (event) => console.error(JSON.stringify(event)),
    };
  }

  async append(address: ShardAddress, frames: Uint8Array): Promise<AppendResult> {
    const contract = requireContract(address);
    await this.#list(address);
    const now = Date.now();
    const result = appendFrames(this.#deps, frames, now);
    if (result.refused.length > 0) await this.#holdOff(address, now);
    await this.#arm(contract, now);
    return result;
  }

  async poke(address: ShardAddress): Promise<Backlog> {
    this.#incarnation();
    // An empty buffer needs no contract: its topic may be gone.
    if (!isIdle(this.#store.state())) await this.#arm(requireContract(address), Date.now());
    return this.#store.backlog();
  }

  async retire(): Promise<boolean> {
    this.#incarnation();
    return retire(this.#store, Date.now());
  }

  async unflushed(): Promise<Unflushed> {
    return this.#store.unflushed();
  }

  async find(address: ShardAddress, column: string, text: string): Promise<readonly BufferedEvent[]> {
    return findBuffered(this.#store, requireContract(address), column, text);
  }

  async flush(address: ShardAddress): Promise<Unflushed> {
    const contract = requireContract(address);
    this.#incarnation();
    const unflushed = this.#store.unflushed();
    if (unflushed.oldestAppended === null) return unflushed;
    const now = Date.now();
    this.ctx.storage.kv.put(FLUSH_ASKED, now);
    await this.#arm(contract, now);
    return unflushed;
  }

  /** Nothing reaches the runtime, which gives up after six failures: a fault sets the alarm anew. */
  override async alarm(): Promise<void> {
    try {
      const address = await this.ctx.storage.get<ShardAddress>("address");
      if (address === undefined) return; // Nothing was ever appended.
      const contract = requireContract(address);
      const limits = this.#limits(contract);
      const outcome = await runFlush(this.#deps, { address, incarnation: this.#incarnation(), contract, limits });
      if (outcome === "busy") this.#wasmBusyUntil = Date.now() + WASM_BUSY_MS * (1 + Math.random());
      await this.#arm(contract, Date.now());
    } catch (error) {
      this.#deps.log({ event: "alarm_failed", error: String(error) });
      await this.ctx.storage.setAlarm(Date.now() + AFTER_FAULT_MS);
    }
  }

  /** Asks the gateway to hold producers off. Best effort: the watchdog does the same, and what is sent meanwhile waits in the queue. */
  async #holdOff(address: ShardAddress, now: number): Promise<void> {
    if (now - this.#toldAt < TELL_MS) return;
    this.#toldAt = now;
    const until = new Date(now + HOLD_OFF_MS).toISOString();
    const reason = pressureReason(address.shard, address.of, this.#store.backlog(), now);
    try {
      await putBackPressure(this.env.DB, { topic: address.topic, until, reason }, new Date(now).toISOString()).run();
    } catch (error) {
      this.#deps.log({ event: "hold_off_failed", ...address, error: String(error) });
    }
  }

  /** Sets the alarm to when the machine has work, unless one rings before. */
  async #arm(contract: Contract, now: number): Promise<void> {
    const due = nextAlarm(this.#store.state(), this.#limits(contract), now);
    const wanted = alarmToSet(await this.ctx.storage.getAlarm(), due, this.#wasmBusyUntil);
    if (wanted !== undefined) await this.ctx.storage.setAlarm(wanted);
  }

  #limits(contract: Contract): FlushLimits {
    const dueThrough = this.ctx.storage.kv.get<number>(FLUSH_ASKED);
    const limits = flushLimits(contract, this.env.FLUSH_AGE_SECONDS);
    return dueThrough === undefined ? limits : { ...limits, dueThrough };
  }

  #incarnation(): string {
    return this.#store.incarnation(() => crypto.randomUUID().slice(0, 8));
  }

  /** Every shard stands in D1 before its first append: whoever walks `shards` sees every row that waits. */
  async #list(address: ShardAddress): Promise<void> {
    this.#incarnation();
    if (this.#store.isListed()) return;
    await this.ctx.storage.put("address", address);
    await listShard(
      this.env.DB,
      { topic: address.topic, shard: address.shard, shardOf: address.of },
      new Date().toISOString(),
    ).run();
    this.#store.markListed();
  }
}

function requireContract(address: ShardAddress): Contract {
  const contract = contractOf(address.topic);
  if (contract === undefined) throw new Error(`topic ${address.topic} has no contract in this deploy`);
  return contract;
}
