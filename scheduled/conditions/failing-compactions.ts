/** Compactions that failed as often as they are tried in a row, until one of them succeeds: a condition a topic. */
import { MAX_ATTEMPTS, REQUEUE_MS } from "../../lakehouse/upkeep/compaction/schedule.ts";
import { failingCompactions } from "../../sql/statements/compactions.ts";
import type { Condition, ConditionSource } from "./condition.ts";

export function failingCompactionsSource(db: D1Database): ConditionSource {
  return {
    name: "failing_compactions",
    async find(now) {
      const rows = await failingCompactions(db, MAX_ATTEMPTS, now - REQUEUE_MS);
      return rows.map(
        ({ topic, compactions, file, error }): Condition => ({
          key: `compaction_failed/${topic}`,
          kind: "compaction_failed",
          severity: "warning",
          message:
            `${compactions} compactions of ${topic} failed ${MAX_ATTEMPTS} times or more, the longest ago ${file}: ${nameOf(error)}. ` +
            "Nothing is lost and builds go on: its small files stay as they are. Too many of them make builds slow, or fail. " +
            "It is tried again once a day; compactions.error_message has the error whole, and the Worker's log each try (event compaction).",
          domain: topic,
          measured: compactions,
          bound: MAX_ATTEMPTS,
        }),
      );
    },
  };
}

/** An error may quote the values that it stumbled over. */
function nameOf(error: string | null): string {
  if (error === null) return "its messages were lost";
  return /^(\w+):/.exec(error)?.[1] ?? "an error";
}
