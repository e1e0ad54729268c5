/** Buffers that do not get rid of what they hold, topics whose producers are held off, and slices that wait in R2. */
import type { Contract } from "../../contracts/contract.ts";
import { flushLimits } from "../../durable-objects/topic-buffer/limits.ts";
import { backPressure } from "../../sql/statements/back-pressure.ts";
import { parkedTotals } from "../../sql/statements/parked-slices.ts";
import { overdueShards } from "../../sql/statements/shards.ts";
import type { Condition, ConditionSource } from "./condition.ts";

export interface BufferConditionsDeps {
  readonly db: D1Database;
  readonly contracts: readonly Pick<Contract, "topic" | "flush">[];
  /** `FLUSH_AGE_SECONDS`. */
  readonly flushAgeSeconds: string;
}

/** More overdue buffers than this are one cause, and these say enough. */
const MAX_OVERDUE = 50;
/** Flush ages that may pass before an operator is told: a write that is tried again comes within them. */
const PATIENCE = 4;
const SLACK_MS = 120_000;

/** Buffers whose oldest block waits for more than four flush ages and two ticks. They are in `shards` as the watchdog and flushes wrote them. */
export function overdueBuffers({ db, contracts, flushAgeSeconds }: BufferConditionsDeps): ConditionSource {
  return {
    name: "overdue_buffers",
    async find(now) {
      const bounds = new Map(
        contracts.map((each) => [each.topic, PATIENCE * flushLimits(each, flushAgeSeconds).ageMs + SLACK_MS]),
      );
      const cutOffs = Object.fromEntries([...bounds].map(([topic, ms]) => [topic, new Date(now - ms).toISOString()]));
      const rows = await overdueShards(db, cutOffs, MAX_OVERDUE);
      return rows.map((row): Condition => {
        const seconds = Math.round((now - Date.parse(row.oldest_unflushed ?? "")) / 1_000);
        return {
          key: `buffer_overdue/${row.topic}/${row.shard}-${row.shard_of}`,
          kind: "freshness",
          severity: "warning",
          message:
            `The buffer of ${row.topic}, shard ${row.shard} of ${row.shard_of}, has not written its oldest events for ${seconds} s ` +
            `(${row.buffered_rows} events, ${row.buffered_bytes} bytes wait; nothing is lost). ` +
            "The Worker's log says why: look for flush_failed, alarm_failed or poke_failed of this shard.",
          domain: row.topic,
          measured: seconds,
          bound: Math.round((bounds.get(row.topic) ?? 0) / 1_000),
        };
      });
    },
  };
}

/** Topics whose producers get 503 since a buffer is far behind. */
export function heldOffTopics({ db }: Pick<BufferConditionsDeps, "db">): ConditionSource {
  return {
    name: "held_off_topics",
    async find(now) {
      const rows = await backPressure(db, new Date(now).toISOString());
      return rows.map(({ topic, reason }) => ({
        key: `back_pressure/${topic}`,
        kind: "freshness",
        severity: "critical",
        message: `Producers of ${topic} get 503 BACK_PRESSURE: ${reason}. They are let in by themselves once it is written; look for flush_failed in the Worker's log.`,
        domain: topic,
      }));
    },
  };
}

/** Slices that buffers set aside and nobody has re-driven. */
export function parkedSlices({ db }: Pick<BufferConditionsDeps, "db">): ConditionSource {
  return {
    name: "parked_slices",
    async find() {
      const totals = await parkedTotals(db);
      return totals.map(({ topic, cause, slices, events, oldest, key }) => ({
        key: `slices_parked/${topic}/${cause}`,
        kind: "message_parked",
        severity: "critical",
        message:
          `${slices} slices of ${topic} with ${events} events could not be written to bronze (${cause}) and stand whole in R2 since ${oldest}, ` +
          `the first under ${key}. The platform sends them on by itself once it can decode them: mend and deploy that; ` +
          "`sluice parked show` says what is wrong with one as the deploy stands, `sluice parked retry` sends it at once.",
        domain: topic,
        measured: events,
      }));
    },
  };
}
