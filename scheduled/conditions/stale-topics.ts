/**
 * Topics whose published table is older than their contract promises (`slaProperties`, freshness). By reception: the table
 * has nothing that was received after its newest partition was published, nor after its newest bronze file.
 */
import type { Contract } from "../../contracts/contract.ts";
import { silverTableName } from "../../lakehouse/tables/silver-columns.ts";
import { TOPIC_PROGRESS, type TopicProgress, topicProgress } from "../../sql/statements/progress.ts";
import type { Condition, ConditionSource } from "./condition.ts";

/** Topics that never received anything are not stale: nobody sends yet. */
export function staleTopicsSource(db: D1Database, contracts: readonly Contract[]): ConditionSource {
  const bounds = new Map(
    contracts.flatMap(({ topic, sla }) => (sla.freshnessMs === undefined ? [] : [[topic, sla.freshnessMs] as const])),
  );
  const topics = [...bounds.keys()].map((topic) => ({ topic, table: silverTableName(topic) }));
  return {
    name: "stale_topics",
    async find(now) {
      if (topics.length === 0) return [];
      const results = await TOPIC_PROGRESS.all(topicProgress(db, topics));
      return results.flatMap((row) => conditionOf(row, bounds.get(row.topic) ?? Number.POSITIVE_INFINITY, now));
    },
  };
}

function conditionOf(row: TopicProgress, boundMs: number, now: number): Condition[] {
  if (row.newest_received === null) return [];
  const received = Date.parse(row.newest_received);
  const published = row.published_at === null ? Number.NEGATIVE_INFINITY : Date.parse(row.published_at);
  // Before the first build, the age counts from what waits for it.
  const ageMs = now - (row.published_at === null ? received : Math.min(received, published));
  if (ageMs <= boundMs) return [];
  const cause =
    published < received
      ? `its newest partition was ${row.published_at === null ? "never published" : `last published ${row.published_at}`}: see its builds, or whether only late events come`
      : `the newest event was received ${row.newest_received}: see its producers`;
  return [
    {
      key: `freshness/${row.topic}`,
      kind: "freshness",
      severity: "warning",
      message: `${row.topic} is ${minutes(ageMs)} old, its contract promises ${minutes(boundMs)}; ${cause}.`,
      domain: row.topic,
      measured: Math.round(ageMs / 1_000),
      bound: Math.round(boundMs / 1_000),
    },
  ];
}

function minutes(ms: number): string {
  const all = Math.floor(ms / 60_000);
  return all < 120 ? `${all} min` : `${Math.floor(all / 60)} h`;
}
