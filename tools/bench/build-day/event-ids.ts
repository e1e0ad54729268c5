/** Ids of the bench's events: lower-case UUIDs, of which some digits say in which slot of the day the event is sent. */

/** What each begins with, and no other text of an event has. */
export const ID_MARK = "b10cda7a-";
/** Where the slot stands. */
export const SLOT_AT = ID_MARK.length;

/** Four digits. */
export function slotText(slot: number): string {
  return slot.toString(16).padStart(4, "0");
}

/** `digits`: 12 of any kind, the same in each slot. */
export function eventId(slot: number, digits: string): string {
  return `${ID_MARK}${slotText(slot)}-4000-8000-${digits}`;
}
