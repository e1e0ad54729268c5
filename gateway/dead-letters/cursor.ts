/** The cursor of a list of dead letters: opaque to callers, and bound to the order it was given for. */
import type { Order, Position } from "../../lakehouse/lookups/dead-letters/position.ts";

export function cursorOf(order: Order, { received, id }: Position): string {
  return Buffer.from(`${order}/${received}/${id}`).toString("base64url");
}

/** undefined for a text that is no cursor of this order. */
export function positionOf(order: Order, cursor: string): Position | undefined {
  const [, of, received = "", id = ""] = CURSOR.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  return of === order ? { received: Number(received), id } : undefined;
}

const CURSOR = /^(newest|oldest)\/(\d{1,16})\/(.{0,100})$/;
