/** What this deploy says of a slice that was set aside. */
import { contractOf } from "../../../contracts/registry.ts";
import { type Frame, PackedBlockError, readFrames } from "../../../schemas/packed-block.ts";
import { sliceFault } from "../../bronze/slice-fault.ts";
import { UnknownSchemaError } from "../../bronze/unknown-schema.ts";

/** Why no rows can be made of it; null if they can. No values of events. */
export function frameFault(frame: Frame): string | null {
  const { topic } = frame.header;
  const contract = contractOf(topic);
  if (contract === undefined) return `topic ${topic} has no contract in this deploy`;
  try {
    return sliceFault(contract, frame);
  } catch (error) {
    if (error instanceof UnknownSchemaError) return error.message;
    throw error;
  }
}

/** The frame that a parked slice's object is. Throws `PackedBlockError` if it is none. */
export function singleFrame(bytes: Uint8Array): Frame {
  const [frame, ...others] = readFrames(bytes);
  if (frame === undefined || others.length > 0) throw new PackedBlockError("not the one frame that was parked");
  return frame;
}
