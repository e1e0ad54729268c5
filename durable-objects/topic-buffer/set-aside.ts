/** Slices whose bytes are not the events they claim: cut out of their flush, so that the rest of the shard goes on. */
import type { Contract } from "../../contracts/contract.ts";
import { sliceFault } from "../../lakehouse/bronze/slice-fault.ts";
import { type Frame, readFrames } from "../../schemas/packed-block.ts";
import { type ParkedSlice, parkedSliceKey } from "../../sql/statements/parked-slices.ts";
import type { ShardAddress } from "../stubs.ts";
import type { BufferStore } from "./store.ts";

/** The hour of reception as the ledger writes it: `2026-11-21T05:00:00Z`. */
export function hourOfReception(receivedMicros: number): string {
  return `${new Date(Math.floor(receivedMicros / 1_000)).toISOString().slice(0, 13)}:00:00Z`;
}

/**
 * Sets aside every slice of a frozen flush that can never be written; which. To be called in a transaction: the flush then is
 * what it would have been without them, whoever tries it next.
 */
export function setAsideFaulty(store: BufferStore, contract: Contract, seq: number): ParkedSlice[] {
  const found: ParkedSlice[] = [];
  for (const { id, bytes } of [...store.frozenBlocks(seq)]) {
    const kept: Frame[] = [];
    const before = found.length;
    for (const frame of readFrames(bytes)) {
      const detail = sliceFault(contract, frame);
      if (detail === null) kept.push(frame);
      else found.push(parkedSlice(frame, detail));
    }
    if (found.length === before) continue;
    const rows = kept.reduce((sum, { slice }) => sum + slice.count, 0);
    store.rewriteBlock(id, Buffer.concat(kept.map((frame) => frame.bytes)), rows);
  }
  for (const slice of found) store.setAside(seq, slice);
  return found;
}

function parkedSlice({ header, slice, bytes }: Frame, detail: string): ParkedSlice {
  const hour = hourOfReception(header.received);
  return { messageId: header.message_id, hour, events: slice.count, cause: "data", detail, bytes };
}

/** Puts what a flush set aside into R2, byte for byte under a key of its own: may be done again. Throws what R2 throws. */
export async function parkSlices(
  bucket: Pick<R2Bucket, "put">,
  address: ShardAddress,
  slices: readonly ParkedSlice[],
): Promise<void> {
  const shard = { topic: address.topic, shard: address.shard, shardOf: address.of };
  for (const slice of slices) {
    await bucket.put(parkedSliceKey(shard, slice), slice.bytes, {
      customMetadata: {
        cause: slice.cause,
        detail: slice.detail.slice(0, 500),
        message_id: slice.messageId,
        events: String(slice.events),
        form: "frame",
      },
    });
  }
}
