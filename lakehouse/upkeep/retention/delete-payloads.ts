/**
 * Payloads of dead letters that stand beside their messages stay as long as the dead letters' bronze. Where their contract states a
 * retention they go once that is retired, and each when it is itself as old as the contract keeps dead letters, since a replay that is
 * refused again writes one under its first reception. Their keys have the date, so an hour costs one list call, and one more for each
 * thousand that goes. R2 bills no deletion.
 */
import type { Contract } from "../../../contracts/contract.ts";
import { datesWithLiveBronze } from "../../../sql/statements/retention.ts";
import { dateOfPayloads, PAYLOADS_PREFIX, payloadsOf } from "../../tables/payload-key.ts";
import { expiriesOf } from "./retire.ts";

export interface PayloadDeps {
  readonly db: D1Database;
  readonly bucket: Pick<R2Bucket, "list" | "delete">;
  /** Of the topic `dead_letters`. */
  readonly contract: Pick<Contract, "topic" | "sla">;
}

/** List calls of one run beside the first. */
const PAGES_A_RUN = 10;

/** One run at `now` (milliseconds since the epoch): may be cut short anywhere, and done twice at once. Throws what R2 and D1 throw. */
export async function deletePayloads(
  { db, bucket, contract }: PayloadDeps,
  now: number,
): Promise<{ readonly payloads: number; readonly more?: "now" }> {
  const [expiry] = expiriesOf([contract], now);
  const { retentionMs } = contract.sla;
  if (expiry === undefined || retentionMs === undefined) return { payloads: 0 };
  const { delimitedPrefixes } = await bucket.list({ prefix: PAYLOADS_PREFIX, delimiter: "/" });
  const dates = delimitedPrefixes.flatMap((prefix) => dateOfPayloads(prefix) ?? []);
  const expired = dates.filter((date) => date <= expiry.lastDate);
  if (expired.length === 0) return { payloads: 0 };
  const live = await datesWithLiveBronze(db, contract.topic, expired);
  const oldest = now - retentionMs;
  let payloads = 0;
  let pages = 0;
  for (const date of expired.filter((each) => !live.has(each))) {
    let cursor: string | undefined;
    do {
      // Pages of which nothing may go yet would be read again at once.
      if (++pages > PAGES_A_RUN) return { payloads, ...(payloads > 0 ? { more: "now" } : {}) };
      const page = await bucket.list({ prefix: payloadsOf(date), ...(cursor === undefined ? {} : { cursor }) });
      const keys = page.objects.filter(({ uploaded }) => uploaded.getTime() <= oldest).map(({ key }) => key);
      if (keys.length > 0) await bucket.delete(keys);
      payloads += keys.length;
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
  }
  return { payloads };
}
