/** Slices whose bytes are not the events they claim: cut out of their flush, so that the rest of the shard goes on. */

import type { Contract } from "../../contracts/contract.ts";
import { sliceFault } from "../../lakehouse/bronze/slice-fault.ts";
import { metadataOf } from "../../lakehouse/upkeep/parked/parked-message.ts";
import { hourTextAt } from "../../schemas/hours.ts";
import { type Frame, readFrames } from "../../schemas/packed-block.ts";
import { type ParkedSlice, parkedSliceKey } from "../../sql/statements/parked-slices.ts";
import type { ShardAddress } from "../stubs.ts";
import type { BufferStore } from "./store.ts";

/** The hour of reception, of microseconds since the epoch, as the ledger writes it. */
export function hourOfReception(receivedMicros: number): string {
  return hourTextAt(receivedMicros / 1_000);
}

/**
 * Sets aside every slice of a frozen flush that can never be written; which. To be called in a transaction: the flush then is
 * what it would have been without them, whoever tries it next. Holds one block at a time.
 */
export function setAsideFaulty(store: BufferStore, contract: Contract, seq: number): ParkedSlice[] {
  const found: ParkedSlice[] = [];
  const blocks = store.frozenBlocks(seq);
  for (const [number, id] of blocks.ids.entries()) {
    const kept: Frame[] = [];
    const before = found.length;
    for (const frame of readFrames(blocks.read(number))) {
      const detail = sliceFault(contract, frame);
      if (detail === null) {
        kept.push(frame);
        continue;
      }
      const slice = parkedSlice(frame, detail);
      store.setAside(seq, slice, frame.bytes);
      found.push(slice);
    }
    if (found.length === before) continue;
    const rows = kept.reduce((sum, { slice }) => sum + slice.count, 0);
    store.rewriteBlock(id, Buffer.concat(kept.map((frame) => frame.bytes)), rows);
  }
  return found;
}

function parkedSlice({ header, slice, bytes }: Frame, detail: string): ParkedSlice {
  return {
    messageId: header.message_id,
    hour: hourOfReception(header.received),
    events: slice.count,
    cause: "data",
    detail,
    bytes: bytes.byteLength,
  };
}

/** Puts what a flush set aside into R2, byte for byte under a key of its own: may be done again. Throws what R2 throws. */
export async function parkSlices(
  bucket: Pick<R2Bucket, "put">,
  address: ShardAddress,
  store: BufferStore,
  seq: number,
): Promise<void> {
  const shard = { topic: address.topic, shard: address.shard, shardOf: address.of };
  for (const slice of store.parkedSlices(seq)) {
    const { cause, detail, messageId, events, hour } = slice;
    const contents = { topic: address.topic, message: messageId, events, received: hour };
    await bucket.put(parkedSliceKey(shard, slice), store.parkedFrame(seq, messageId), {
      customMetadata: metadataOf({ cause, detail, attempts: 0, sent: "", contents }),
    });
  }
}
