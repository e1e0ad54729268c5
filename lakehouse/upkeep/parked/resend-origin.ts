/**
 * What a message is that was sent again under a fresh id. Its header's `gateway` says so, since its numbers are no gateway's, and
 * keeps saying so when it is parked and sent once more: all tries of one thing share one list of ids (`resends.ts`).
 */
import type { Frame, MessageHeader } from "../../../schemas/packed-block.ts";

export interface ResendOrigin {
  /** As the header names it. */
  readonly gateway: string;
  /** Of its list of ids. */
  readonly name: string;
  /** Under which bronze may have it, besides those of the list. */
  readonly ids: readonly string[];
}

const MESSAGE = "redrive/";
const SLICE = "set-aside/";

/** The origin of a message that is parked. */
export function originOfMessage({ message_id, gateway }: Pick<MessageHeader, "message_id" | "gateway">): ResendOrigin {
  if (gateway.startsWith(SLICE)) return { gateway, name: gateway.slice(SLICE.length), ids: [] };
  const first = gateway.startsWith(MESSAGE) ? gateway.slice(MESSAGE.length) : message_id;
  return { gateway: `${MESSAGE}${first}`, name: first, ids: [first] };
}

/** The origin of a slice that a flush set aside. One of a slice that was set aside before has a list of its own: its buffer knows the ids of the other's. */
export function originOfSlice({ header, slice }: Frame): ResendOrigin {
  const name = `${header.message_id}-${slice.shard}-${slice.of}`;
  return { gateway: `${SLICE}${name}`, name, ids: [] };
}

/** Whether a message carries a slice that a flush set aside: its buffer counted it, events and message, when it first came. */
export function wasSetAside({ gateway }: Pick<MessageHeader, "gateway">): boolean {
  return gateway.startsWith(SLICE);
}
