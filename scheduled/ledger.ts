/** The duty that compares the ledger: what it finds stands in D1 until a comparison does not find it any more. */

import { contracts } from "../contracts/registry.ts";
import { findingsOf } from "../lakehouse/ledger/findings.ts";
import { HOUR_MS, hourTextAt } from "../schemas/hours.ts";
import { arrivalsBetween, forgetArrivals } from "../sql/statements/arrivals.ts";
import { ledgerState, ledgerTopics } from "../sql/statements/ledger-balance.ts";
import { type LedgerFinding, oldestFinding, replaceFindings } from "../sql/statements/ledger-findings.ts";

/** Two days: what is received, delivered late and built happens within; what is found wrong is followed for longer. */
const WINDOW_MS = 48 * HOUR_MS;
/** Older than any message that a buffer would take (durable-objects/topic-buffer/remembered-ids.ts), so that nothing changes any more. */
const LONGEST_MS = 10 * 24 * HOUR_MS;
const TOPICS_AT_ONCE = 20;
const ARRIVALS_KEPT_MS = 31 * 24 * HOUR_MS;

/** Compares the hours from two days ago to now, and further back as long as something is wrong there. `promises`: completeness in percent, by topic. */
export async function compareLedger(
  db: D1Database,
  promises: ReadonlyMap<string, number>,
  now: number,
): Promise<Readonly<Record<string, unknown>>> {
  const oldest = await oldestFinding(db);
  // A gap is only seen from the last number before it.
  const start = Math.min(now, oldest === null ? now : Date.parse(oldest)) - WINDOW_MS;
  const from = hourTextAt(Math.max(start, now - LONGEST_MS));
  // The clocks of gateways may be ahead.
  const to = hourTextAt(now + 2 * HOUR_MS);
  const findings: LedgerFinding[] = [];
  for await (const topics of topicPages(db)) {
    const [state, arrivals] = await Promise.all([
      ledgerState(db, topics, from, to),
      arrivalsBetween(db, topics, from, to),
    ]);
    findings.push(...findingsOf(state, arrivals, from, now, promises));
  }
  await replaceFindings(db, findings, new Date(now).toISOString());
  await forgetArrivals(db, hourTextAt(now - ARRIVALS_KEPT_MS));
  return {
    from,
    differences: findings.filter(({ kind }) => kind === "difference").length,
    suspected_losses: findings.filter(({ kind }) => kind === "suspected_loss").length,
    incomplete: findings.filter(({ kind }) => kind === "incomplete").length,
  };
}

/** All topics, some at a time: what is read of them is in memory together. */
async function* topicPages(db: D1Database): AsyncGenerator<string[]> {
  const deployed = contracts.map(({ topic }) => topic);
  for (let after = ""; ; ) {
    const topics = await ledgerTopics(db, deployed, after, TOPICS_AT_ONCE);
    if (topics.length > 0) yield topics;
    const last = topics.at(-1);
    if (last === undefined || topics.length < TOPICS_AT_ONCE) return;
    after = last;
  }
}
