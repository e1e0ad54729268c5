/** The flush loop: does what `machine.ts` says until there is nothing to do now. Every step may be done twice. */

import type { Contract } from "../../contracts/contract.ts";
import { LAYOUT_POLICY, type LayoutPolicy, UNSTORED_POLICY } from "../../lakehouse/bronze/files.ts";
import type { BronzeBucket } from "../../lakehouse/bronze/put-once.ts";
import { BronzeInputError, writeBronze } from "../../lakehouse/bronze/write.ts";
import type { WasmPermit } from "../../lakehouse/engine/parquet/wasm.ts";
import { hourText, hourTextAt } from "../../schemas/hours.ts";
import { publishArrivals } from "../../sql/statements/arrivals.ts";
import type { BronzeFile } from "../../sql/statements/bronze.ts";
import { publishLedger, registerFlush } from "../../sql/statements/bronze.ts";
import { registerParkedSlice } from "../../sql/statements/parked-slices.ts";
import { noteUnknownFields } from "../../sql/statements/unknown-fields.ts";
import type { ShardAddress } from "../stubs.ts";
import { portionsOf, trimmedBefore } from "./ledger-store.ts";
import { type FlushLimits, nextStep, retryDelay } from "./machine.ts";
import { noteFrozen } from "./noting.ts";
import { oldestHour, type RememberedIds } from "./remembered-ids.ts";
import { parkSlices, setAsideFaulty } from "./set-aside.ts";
import type { BufferStore } from "./store.ts";

export interface FlushDeps {
  readonly store: BufferStore;
  readonly ids: RememberedIds;
  readonly bucket: BronzeBucket;
  readonly db: D1Database;
  /** Runs `work` in one transaction of the object's storage. */
  transaction(work: () => void): void;
  /** The isolate's permit for parquet-wasm, or undefined when another operation has it. */
  permit(): WasmPermit | undefined;
  /** Lets what else waits for the thread have its turn: appends to this very buffer, too. */
  pause(): Promise<unknown>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  log(event: Readonly<Record<string, unknown>>): void;
}

/** One shard: who it is, what it holds, when it flushes. `incarnation` is the object's own. */
export interface FlushTarget {
  readonly address: ShardAddress;
  readonly incarnation: string;
  readonly contract: Contract;
  readonly limits: FlushLimits;
  /** Absent: this deploy's own. */
  readonly layout?: LayoutPolicy;
}

/** `idle`: the machine sleeps. `busy`: the step waits for parquet-wasm. `failed`: noted with its backoff. */
export type FlushOutcome = "idle" | "busy" | "failed";

/** Runs the loop. What R2 and D1 throw is noted and ends it; only the object's own storage can make it throw. */
export async function runFlush(deps: FlushDeps, target: FlushTarget): Promise<FlushOutcome> {
  const { store } = deps;
  for (;;) {
    const step = nextStep(store.state(), target.limits, deps.now());
    if (step.do === "sleep") return "idle";
    if (step.do === "freeze") {
      deps.transaction(() => noteFrozen(store, store.freeze(target.limits.bytes, target.limits.rows)));
      // Noted ids are looked up in the storage: what is still open is read again.
      deps.ids.reset();
      continue;
    }
    try {
      if (!(await flushStep(deps, target, step.do, step.seq))) return "busy";
    } catch (error) {
      const attempts = store.state().flush?.attempts ?? 0;
      store.noteFailure(step.seq, deps.now() + retryDelay(attempts, deps.random()));
      deps.log({
        event: "flush_failed",
        step: step.do,
        seq: step.seq,
        attempts: attempts + 1,
        ...target.address,
        error: String(error),
      });
      return "failed";
    }
  }
}

/** False when the step has to wait for the isolate's parquet-wasm. */
async function flushStep(
  deps: FlushDeps,
  target: FlushTarget,
  step: "write" | "register" | "forget",
  seq: number,
): Promise<boolean> {
  const { store } = deps;
  const { address } = target;
  let files: readonly BronzeFile[];
  switch (step) {
    case "write": {
      using permit = deps.permit();
      if (permit === undefined) return false;
      files = await writeOrSetAside(deps, permit, target, seq);
      // What was set aside is in R2 before its flush goes on: the step may be done again, the forgetting not.
      await parkSlices(deps.bucket, address, store, seq);
      break;
    }
    case "register":
      files = store.outbox.files(seq);
      break;
    // Of a version that forgot in a transaction of its own.
    case "forget":
      deps.transaction(() => forget(deps, seq));
      return true;
  }
  try {
    await register(deps, target, seq, files);
  } catch (error) {
    // Only now is it worth a row that the files stand: the next try need not make them again.
    if (step === "write") deps.transaction(() => store.outbox.put(seq, files));
    throw error;
  }
  return true;
}

async function register(
  deps: FlushDeps,
  { address, incarnation }: FlushTarget,
  seq: number,
  files: readonly BronzeFile[],
): Promise<void> {
  const { store, db } = deps;
  const shard = { topic: address.topic, shard: address.shard, shardOf: address.of, incarnation };
  const now = new Date(deps.now()).toISOString();
  const ledger = store.ledger.unpublished();
  const arrivals = store.arrivals.unpublished();
  await db.batch([
    ...registerFlush(db, { ...shard, seq }, files, store.backlog(seq), now),
    ...files.flatMap(({ topic, unknownFields }) => noteUnknownFields(db, topic, unknownFields ?? [], now)),
    ...store.parkedSlices(seq).map((slice) => registerParkedSlice(db, shard, slice, now)),
    ...portionsOf(ledger).map((totals) => publishLedger(db, shard, totals)),
    publishArrivals(db, shard, arrivals),
  ]);
  // Totals of the present hour are told again with its next flush, which changes them: that D1 has them is not worth their rows.
  const present = hourTextAt(deps.now());
  const isOver = ({ hour }: { readonly hour: string }) => hour < present;
  deps.transaction(() => {
    store.ledger.markPublished(ledger.filter(isOver));
    store.arrivals.markPublished(arrivals.filter(isOver));
    forget(deps, seq);
  });
}

function forget({ store, ids, now }: FlushDeps, seq: number): void {
  store.forget(seq);
  store.ledger.forgetBefore(trimmedBefore(now()));
  const oldest = ids.oldest(now());
  ids.forgetBefore(oldest);
  // Open blocks are not noted yet: hours that they may tell of are not over.
  const { oldestAt } = store.state().open;
  store.arrivals.forgetBefore(hourText(oldestAt === null ? oldest : Math.min(oldest, oldestHour(oldestAt))));
}

/** The files of a flush. Where its frames cannot be read, those that are at fault are set aside and the others written. */
async function writeOrSetAside(
  deps: FlushDeps,
  permit: WasmPermit,
  target: FlushTarget,
  seq: number,
): Promise<BronzeFile[]> {
  const { store, transaction, log } = deps;
  const { address, contract } = target;
  try {
    return await write(deps, permit, target, seq);
  } catch (error) {
    if (!(error instanceof BronzeInputError) || (await isBegun(deps, seq))) throw error;
    let found = 0;
    transaction(() => {
      store.layouts.drop(seq);
      const slices = setAsideFaulty(store, contract, seq);
      found = slices.length;
      for (const { messageId, events, detail } of slices) {
        log({ event: "slice_parked", seq, ...address, message_id: messageId, events, detail });
      }
    });
    if (found === 0) throw error;
    return write(deps, permit, target, seq);
  }
}

/** By the layout of an earlier try, if one stored it: where its files end must not depend on the deploy that goes on. */
function write({ store, bucket, transaction, pause }: FlushDeps, permit: WasmPermit, target: FlushTarget, seq: number) {
  const { address, contract, incarnation, layout = LAYOUT_POLICY } = target;
  const flush = { topic: address.topic, shard: address.shard, shardOf: address.of, incarnation, seq };
  return writeBronze({ bucket, permit }, contract, flush, store.frozenBlocks(seq), {
    layout: store.layouts.of(seq),
    policy: store.layouts.isStored(seq) ? layout : UNSTORED_POLICY,
    keep: (made) => transaction(() => store.layouts.keep(seq, made)),
    pause,
  });
}

/**
 * Whether a file of the flush is in the bucket. The caller then sets no slice aside: that file was made of all slices by an earlier
 * deploy that could read them, so the flush waits for such a deploy.
 */
async function isBegun({ store, bucket }: FlushDeps, seq: number): Promise<boolean> {
  const layout = store.layouts.of(seq);
  for (const { key } of layout?.files ?? []) if ((await bucket.head(key)) !== null) return true;
  return false;
}
