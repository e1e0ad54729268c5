/** Partitions wait for a native builder, and none was heard from for five minutes: one condition, whatever waits. */
import { nativeDomains } from "../../lakehouse/builds/native/routing.ts";
import type { Table } from "../../lakehouse/tables/catalog.ts";
import { nativeBacklog } from "../../sql/statements/native-waiting.ts";
import type { Condition, ConditionSource } from "./condition.ts";

/** Builders that are idle ask twice a minute, and a scheduler's take some minutes to start. */
const SILENT_MS = 300_000;

export function nativeBuilderSource(db: D1Database, tables: readonly Table[]): ConditionSource {
  const domains = nativeDomains(tables);
  return {
    name: "waiting_for_builder",
    async find() {
      const waiting = await nativeBacklog(db, domains);
      if (waiting === null) return [];
      const { partitions, domain, date, since, builderSeen, now } = waiting;
      const waitedMs = since === 0 ? 0 : now - since;
      if (waitedMs < SILENT_MS || now - builderSeen < SILENT_MS) return [];
      const heard = builderSeen === 0 ? "in the last day" : `for ${Math.floor((now - builderSeen) / 60_000)} minutes`;
      return [
        {
          key: "needs_native_builder",
          kind: "native_builder",
          severity: "warning",
          message:
            `${partitions} partitions wait for a native builder, ${domain} ${date} for ${Math.floor(waitedMs / 60_000)} minutes, and none was heard from ${heard}. ` +
            "What is published stays; other tables are built. Start one: npx sluice builder --url URL, with a key of the scope *:build (docs/native-builder.md).",
          measured: partitions,
          bound: 0,
        } satisfies Condition,
      ];
    },
  };
}
