/**
 * The Durable Object of one shard of one topic: storage, alarm and RPC. What to do next is `machine.ts`'s to say; this
 * shell does it.
 */
import { DurableObject } from "cloudflare:workers";
import type { Contract } from "../../contracts/contract.ts";
import { contractOf } from "../../contracts/registry.ts";
import { writeBronze } from "../../lakehouse/bronze/write.ts";
import { tryAcquireWasm } from "../../lakehouse/parquet/wasm.ts";
import { type Frame, readFrames } from "../../schemas/packed-block.ts";
import { listShard, publishLedger, registerBronzeFile } from "../../sql/statements/bronze.ts";
import type { AppendResult, ShardAddress, TopicBufferStub } from "../stubs.ts";
import { type FlushLimits, nextAlarm, nextStep, retryDelay } from "./machine.ts";
import { hourOf, oldestHour, RememberedIds } from "./remembered-ids.ts";
import { BufferStore, type LedgerLine } from "./store.ts";

export interface TopicBufferEnv {
  readonly LAKE: R2Bucket;
  readonly DB: D1Database;
  /** Flush age in seconds in place of the contracts'; "0": as the contract says. */
  readonly FLUSH_AGE_SECONDS: string;
}

/** How long to wait when another operation of the isolate holds parquet-wasm, at the least; jitter doubles it at most. */
const WASM_BUSY_MS = 100;

export class TopicBuffer extends DurableObject<TopicBufferEnv> implements TopicBufferStub {
  readonly #store: BufferStore;
  readonly #ids: RememberedIds;
  /** Before this time another operation of the isolate is expected to hold parquet-wasm: an earlier alarm would only spin. */
  #wasmBusyUntil = 0;

  constructor(context: DurableObjectState, env: TopicBufferEnv) {
    super(context, env);
    this.#store = new BufferStore(context.storage.sql);
    this.#ids = new RememberedIds(this.#store);
  }

  async append(address: ShardAddress, frames: Uint8Array): Promise<AppendResult> {
    const contract = this.#contract(address);
    await this.#list(address);
    const now = Date.now();
    const oldest = oldestHour(now);
    const stored: string[] = [];
    const tooOld: string[] = [];
    const fresh = new Map<string, Frame>();
    for (const frame of readFrames(frames)) {
      const id = frame.header.message_id;
      if (hourOf(id) < oldest) tooOld.push(id);
      else {
        stored.push(id);
        if (!fresh.has(id) && !this.#ids.has(id)) fresh.set(id, frame);
      }
    }
    if (fresh.size > 0) this.#appendFresh([...fresh.values()], now);
    await this.#arm(contract, now);
    return { stored, tooOld };
  }

  // One transaction: ids, blocks and counts stand or fall together.
  #appendFresh(frames: readonly Frame[], now: number): void {
    try {
      this.ctx.storage.transactionSync(() => {
        this.#store.appendFrames(
          frames.map((frame) => ({ bytes: frame.bytes, rows: frame.slice.count })),
          now,
        );
        this.#ids.add(frames.map((frame) => frame.header.message_id));
        this.#store.countEvents(ledgerLines(frames));
      });
    } catch (error) {
      this.#ids.reset();
      throw error;
    }
  }

  async poke(address: ShardAddress): Promise<boolean> {
    const contract = this.#contract(address);
    await this.#list(address);
    const alarm = await this.#arm(contract, Date.now());
    return alarm !== null;
  }

  override async alarm(): Promise<void> {
    const address = await this.ctx.storage.get<ShardAddress>("address");
    if (address === undefined) return; // Nothing was ever appended.
    const contract = this.#contract(address);
    await this.#run(address, contract);
    await this.#arm(contract, Date.now());
  }

  /** Steps until there is nothing to do now. A failure is recorded with its backoff; it never reaches the runtime, which would give up after six. */
  async #run(address: ShardAddress, contract: Contract): Promise<void> {
    const limits = this.#limits(contract);
    for (;;) {
      const step = nextStep(this.#store.state(), limits, Date.now());
      if (step.do === "sleep") return;
      if (step.do === "freeze") {
        this.#store.freeze(limits.bytes, limits.rows);
        continue;
      }
      try {
        const done = await this.#flushStep(step.do, step.seq, address, contract);
        if (!done) return;
      } catch (error) {
        const attempts = this.#store.state().flush?.attempts ?? 0;
        this.#store.noteFailure(step.seq, Date.now() + retryDelay(attempts, Math.random()));
        console.error(
          JSON.stringify({
            event: "flush_failed",
            step: step.do,
            seq: step.seq,
            attempts: attempts + 1,
            ...address,
            error: String(error),
          }),
        );
        return;
      }
    }
  }

  /** False when the step has to wait for the isolate's parquet-wasm. */
  async #flushStep(
    step: "write" | "register" | "forget",
    seq: number,
    address: ShardAddress,
    contract: Contract,
  ): Promise<boolean> {
    switch (step) {
      case "write": {
        using permit = tryAcquireWasm();
        if (permit === undefined) {
          this.#wasmBusyUntil = Date.now() + WASM_BUSY_MS * (1 + Math.random());
          return false;
        }
        const frames = [...this.#store.frozenBlocks(seq)].flatMap((block) => [...readFrames(block)]);
        const flush = {
          topic: address.topic,
          shard: address.shard,
          shardOf: address.of,
          incarnation: this.#incarnation(),
          seq,
        };
        this.#store.markWritten(seq, await writeBronze(this.env.LAKE, contract, flush, frames));
        return true;
      }
      case "register": {
        const now = new Date().toISOString();
        const ledger = this.#store.unpublishedLedger();
        const shard = {
          topic: address.topic,
          shard: address.shard,
          shardOf: address.of,
          incarnation: this.#incarnation(),
        };
        await this.env.DB.batch([
          ...this.#store.writtenFiles(seq).flatMap((file) => registerBronzeFile(this.env.DB, file, now)),
          publishLedger(this.env.DB, shard, ledger),
        ]);
        this.#store.markPublished(ledger);
        this.#store.markRegistered(seq);
        return true;
      }
      case "forget":
        this.ctx.storage.transactionSync(() => {
          this.#store.forget(seq);
          this.#ids.forgetBefore(oldestHour(Date.now()));
        });
        return true;
    }
  }

  /** Sets the alarm to when the machine has work, unless one rings before. */
  async #arm(contract: Contract, now: number): Promise<number | null> {
    const due = nextAlarm(this.#store.state(), this.#limits(contract), now);
    if (due === null) return null;
    const wanted = Math.max(due, this.#wasmBusyUntil);
    const current = await this.ctx.storage.getAlarm();
    if (current === null || current > wanted) await this.ctx.storage.setAlarm(wanted);
    return wanted;
  }

  #limits(contract: Contract): FlushLimits {
    const seconds = Number(this.env.FLUSH_AGE_SECONDS);
    return { ...contract.flush, ...(seconds > 0 ? { ageMs: seconds * 1_000 } : {}) };
  }

  #contract(address: ShardAddress): Contract {
    const contract = contractOf(address.topic);
    if (contract === undefined) throw new Error(`topic ${address.topic} has no contract in this deploy`);
    return contract;
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

/** Counts per hour of reception: by label where the slice has labels (dead letters), else all together. */
function ledgerLines(frames: readonly Frame[]): LedgerLine[] {
  const totals = new Map<string, LedgerLine>();
  const add = (hour: string, detail: string, events: number): void => {
    const key = `${hour} ${detail}`;
    totals.set(key, { hour, detail, events: (totals.get(key)?.events ?? 0) + events });
  };
  for (const { header, slice } of frames) {
    const hour = `${new Date(Math.floor(header.received / 1_000)).toISOString().slice(0, 13)}:00:00Z`;
    const labels = Object.entries(slice.tally);
    if (labels.length === 0) add(hour, "", slice.count);
    for (const [label, events] of labels) add(hour, label, events);
  }
  return [...totals.values()];
}
