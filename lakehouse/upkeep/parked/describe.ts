/** One thing that is parked, as an operator needs to see it. No values of events. */
import {
  decodeMessage,
  type Frame,
  type MessageHeader,
  PackedBlockError,
  type Slice,
} from "../../../schemas/packed-block.ts";
import { singleFrame } from "./frame-fault.ts";
import { type ParkedMessage, parkedOf } from "./parked-message.ts";

export interface ParkedDescription {
  readonly parked: ParkedMessage;
  /** null: the bytes are no message and no slice of ours. */
  readonly header: MessageHeader | null;
  /** What is parked of the message: all of its slices, or one. */
  readonly slices: readonly Slice[];
  /** Why a retry would leave it parked; null if nothing of its bytes is in the way. */
  readonly problem: string | null;
}

/** Undefined if it is not parked (any more). Throws R2's errors. */
export async function describeParked(
  bucket: Pick<R2Bucket, "get">,
  key: string,
  frameFault: (frame: Frame) => string | null,
): Promise<ParkedDescription | undefined> {
  const object = await bucket.get(key);
  const parked = object === null ? undefined : parkedOf(object);
  if (object === null || parked === undefined) return undefined;
  const bytes = new Uint8Array(await object.arrayBuffer());
  try {
    if (parked.kind === "message") {
      const { header } = decodeMessage(bytes);
      return { parked, header, slices: header.slices, problem: null };
    }
    const frame = singleFrame(bytes);
    return { parked, header: frame.header, slices: [frame.slice], problem: frameFault(frame) };
  } catch (error) {
    if (!(error instanceof PackedBlockError)) throw error;
    return { parked, header: null, slices: [], problem: `this deploy cannot read its bytes: ${error.message}` };
  }
}
