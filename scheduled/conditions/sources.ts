/** Every condition that an operator is told of. */
import type { Contract } from "../../contracts/contract.ts";
import { tableByName, tables } from "../../lakehouse/tables/catalog.ts";
import { blockedPartitionsSource } from "./blocked-partitions.ts";
import { heldOffTopics, overdueBuffers, parkedSlices } from "./buffers.ts";
import { catalogSizeSource } from "./catalog-size.ts";
import type { ConditionSource } from "./condition.ts";
import { deadLetterRateSource } from "./dead-letter-rate.ts";
import { dutyBacklogsSource } from "./duty-backlogs.ts";
import { failedPartitionsSource } from "./failed-partitions.ts";
import { failingCompactionsSource } from "./failing-compactions.ts";
import { lateDataSource } from "./late-data.ts";
import { ledgerSource } from "./ledger.ts";
import { nativeBuilderSource } from "./native-builder.ts";
import { overdueTablesSource } from "./overdue-tables.ts";
import { parkedMessagesSource } from "./parked-messages.ts";
import { staleTablesSource } from "./stale-tables.ts";

export interface SourcesDeps {
  readonly db: D1Database;
  readonly lake: Pick<R2Bucket, "head" | "list" | "put">;
  readonly contracts: readonly Contract[];
  /** `FLUSH_AGE_SECONDS`. */
  readonly flushAgeSeconds: string;
  /** `CATALOG_LIMIT_BYTES`. */
  readonly catalogLimitBytes: string;
  /** When this deploy was made: ISO 8601 UTC. */
  readonly releasedAt: string;
  /** Whether this deploy builds the domain. */
  knows(domain: string): boolean;
}

export function conditionSources(deps: SourcesDeps): ConditionSource[] {
  const { db, lake, contracts, flushAgeSeconds, catalogLimitBytes, releasedAt, knows } = deps;
  const buffers = { db, contracts, flushAgeSeconds };
  const topics = contracts.map(({ topic }) => topic);
  return [
    failedPartitionsSource(db, knows),
    blockedPartitionsSource(db),
    failingCompactionsSource(db),
    parkedMessagesSource(lake),
    parkedSlices(buffers),
    overdueBuffers(buffers),
    heldOffTopics(buffers),
    overdueTablesSource(db, tables),
    deadLetterRateSource(db),
    ledgerSource(db),
    dutyBacklogsSource(db),
    nativeBuilderSource(db, tables),
    catalogSizeSource(db, catalogLimitBytes),
    lateDataSource(db, topics),
    staleTablesSource(db, releasedAt, (name) => tableByName(name) !== undefined),
  ];
}
