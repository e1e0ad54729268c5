/** Where payloads stand that are too large for their dead letter's message. */

export const PAYLOADS_PREFIX = "dead_letters/payloads/";

/** `date`: of reception, `YYYY-MM-DD`; that of the dead letter's partition. */
export function payloadKey(date: string, dlqId: string): string {
  return `${payloadsOf(date)}${dlqId}`;
}

/** The prefix of a date's payloads. */
export function payloadsOf(date: string): string {
  return `${PAYLOADS_PREFIX}${date}/`;
}

/** The date of such a prefix; undefined for another text. */
export function dateOfPayloads(prefix: string): string | undefined {
  const date = prefix.slice(PAYLOADS_PREFIX.length, -1);
  return /^\d{4}-\d\d-\d\d$/.test(date) && payloadsOf(date) === prefix ? date : undefined;
}
