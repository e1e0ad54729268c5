/** Some slices of a message as a message of its own, under another id. */
import { encodeMessage, type Frame, type MessageHeader, replaysOf } from "../../../schemas/packed-block.ts";
import type { ResendOrigin } from "./resend-origin.ts";

/** A slice of a message, and its envelopes. */
export type SlicePart = Pick<Frame, "slice" | "events">;

/** The message of these parts, in this order. Its events keep their place in their request, their time and their producer. */
export function resendMessage(
  header: MessageHeader,
  parts: readonly SlicePart[],
  { gateway }: Pick<ResendOrigin, "gateway">,
  messageId: string,
): { readonly header: MessageHeader; readonly bytes: Uint8Array } {
  let offset = 0;
  const slices = parts.map(({ slice }) => {
    const moved = { ...slice, offset };
    offset += slice.length;
    return moved;
  });
  // Numbers are told by their gateway's own messages: under another name they would say nothing.
  const naming = { message_id: messageId, gateway, sequence: 1, unsent: [] };
  const count = slices.reduce((sum, slice) => sum + slice.count, 0);
  const own = { ...header, ...naming, count, slices };
  const replays = parts.flatMap(({ slice }) => replaysOf(header, slice) ?? []);
  const resent = header.replay_of === undefined ? own : { ...own, replay_of: replays };
  return {
    header: resent,
    bytes: encodeMessage(
      resent,
      parts.map(({ events }) => events),
    ),
  };
}
