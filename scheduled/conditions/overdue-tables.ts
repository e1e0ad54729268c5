/**
 * Tables that are older than what is promised: a topic's by its contract (`slaProperties`, freshness), a model's by the contracts of what
 * it reads and the time that it waits itself. By reception: a table has nothing that was received after its newest partition was
 * published, nor after the topic's newest bronze file.
 */
import { promisesOf } from "../../lakehouse/builds/planning/promises.ts";
import { grainOf, type Table } from "../../lakehouse/tables/catalog.ts";
import { TOPIC_PROGRESS, type TopicProgress, topicProgress } from "../../sql/statements/progress.ts";
import type { Condition, ConditionSource } from "./condition.ts";

/** Topics that never received anything are not stale, nor what is made of them: nobody sends yet. */
export function overdueTablesSource(db: D1Database, tables: readonly Table[]): ConditionSource {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const promises = tables.flatMap((table) =>
    promisesOf(table, (name) => byName.get(name)).map((promise) => ({ ...promise, table })),
  );
  const asked = promises.map(({ topic, table }) => ({ topic, table: table.name, grain: grainOf(table) }));
  return {
    // Open alerts of the deploy before have this name.
    name: "stale_topics",
    async find(now) {
      if (asked.length === 0) return [];
      const rows = await TOPIC_PROGRESS.all(topicProgress(db, asked));
      return promises.flatMap(({ topic, withinMs, table }) => {
        const row = rows.find((each) => each.topic === topic && each.table === table.name);
        return row === undefined ? [] : conditionOf(row, table, withinMs, now);
      });
    },
  };
}

function conditionOf(row: TopicProgress, table: Table, boundMs: number, now: number): Condition[] {
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
  const promised =
    table.kind === "topic" ? "its contract promises" : `the contract of ${row.topic} and what it waits itself come to`;
  return [
    {
      key: table.kind === "topic" ? `freshness/${row.topic}` : `freshness/${table.name}/${row.topic}`,
      kind: "freshness",
      severity: "warning",
      message: `${table.domain} is ${minutes(ageMs)} old, ${promised} ${minutes(boundMs)}; ${cause}.`,
      domain: table.domain,
      measured: Math.round(ageMs / 1_000),
      bound: Math.round(boundMs / 1_000),
    },
  ];
}

function minutes(ms: number): string {
  const all = Math.floor(ms / 60_000);
  return all < 120 ? `${all} min` : `${Math.floor(all / 60)} h`;
}
