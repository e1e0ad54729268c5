/** The demo's claims, each a pair of numbers that were obtained in two different ways. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { ERROR_TYPES, type ErrorType } from "../../contracts/verdict.ts";
import type { CompiledModel } from "../../lakehouse/engine/ir/ir.ts";
import type { SendReport } from "../../producers/simulators/report.ts";
import { compareWithDuckDb } from "../lake/model-oracle.ts";
import type { Expectations } from "./expectations.ts";
import { OWN_TOPICS, type Standing } from "./settle.ts";

/** What this version can be made to say; UNKNOWN_FIELD needs a contract that rejects, QUALITY_GATE comes from later layers. */
const COVERED: readonly ErrorType[] = ERROR_TYPES.filter((type) => type !== "UNKNOWN_FIELD" && type !== "QUALITY_GATE");

/** From so many events on, the simulators make every error type occur. */
const ALL_TYPES_FROM = 2_000;

export interface Check {
  readonly name: string;
  readonly expected: number;
  readonly actual: number;
}

export interface Evidence {
  readonly expectations: Expectations;
  readonly report: SendReport;
  readonly standing: Standing;
  /** The lake as DuckDB reads it. */
  readonly connection: DuckDBConnection;
  readonly models: readonly CompiledModel[];
  /** The topics that were sent to. */
  readonly topics: readonly string[];
  /** ISO 8601: rows received from then on are this run's. */
  readonly startedAt: string;
}

export async function runChecks(evidence: Evidence): Promise<Check[]> {
  const { expectations, report, standing, connection, startedAt } = evidence;
  const count = async (sql: string): Promise<number> => {
    const [row] = (await connection.runAndReadAll(sql)).getRows();
    return Number(row?.[0] ?? 0);
  };
  const since = (column = "_received") => `${column} >= TIMESTAMPTZ '${startedAt}'`;
  const overTopics = (layer: string, select: string) =>
    evidence.topics.map((topic) => `SELECT ${select} FROM ${layer}_${topic} WHERE ${since()}`).join(" UNION ALL ");

  const ownTopics = OWN_TOPICS.map((topic) => `'${topic}'`).join(", ");

  const checks: Check[] = [
    {
      name: "sent: events answered with a verdict",
      expected: expectations.sent,
      actual: report.accepted + report.rejected,
    },
    { name: "accepted: as the labels say", expected: expectations.accepted, actual: report.accepted },
    { name: "rejected: as the labels say", expected: expectations.rejected, actual: report.rejected },
    { name: "verdicts that differ from their label", expected: 0, actual: report.mismatchCount },
  ];
  for (const type of COVERED) {
    const expected = expectations.byErrorType.get(type) ?? 0;
    checks.push({ name: `rejected as ${type}`, expected, actual: report.rejections[type]?.got ?? 0 });
  }
  checks.push(
    {
      name: "error types that occurred, of those covered",
      expected: expectations.sent >= ALL_TYPES_FROM ? COVERED.length : expectations.byErrorType.size,
      actual: COVERED.filter((type) => (report.rejections[type]?.got ?? 0) > 0).length,
    },
    {
      name: "bronze rows = accepted",
      expected: report.accepted,
      actual: await count(`SELECT count(*) FROM (${overTopics("bronze", "1")})`),
    },
    {
      name: "accepted events missing from bronze, or there too often",
      expected: 0,
      actual: await countMisplaced(connection, expectations, overTopics("bronze", "event_id")),
    },
    {
      name: "dead letters in bronze = rejected",
      expected: report.rejected,
      actual: await count(`SELECT count(*) FROM bronze_dead_letters WHERE ${since()}`),
    },
    {
      name: "dead letters in silver, one per refused event",
      expected: report.rejected,
      actual: await count(`SELECT count(*) FROM silver_dead_letters WHERE ${since()}`),
    },
    {
      name: "silver rows = accepted without copies",
      expected: expectations.accepted - expectations.duplicates,
      actual: await count(`SELECT count(*) FROM (${overTopics("silver", "1")})`),
    },
    {
      name: "duplicates removed = retries the simulators made",
      expected: expectations.duplicates,
      actual: await count(
        `SELECT sum(events) FROM silver_ledger WHERE term = 'duplicate' AND topic NOT IN (${ownTopics})`,
      ),
    },
    {
      name: "ledger closed: appended = rows in bronze",
      expected: standing.appended,
      actual: await rowsOfLayer("bronze", connection, count),
    },
    {
      name: "ledger published: accepted, all topics of producers",
      expected: standing.appended,
      actual: await count(
        `SELECT sum(events) FROM silver_ledger WHERE term = 'accepted' AND topic NOT IN (${ownTopics})`,
      ),
    },
    {
      name: "ledger published: rejected = dead letters",
      expected: await count("SELECT count(*) FROM bronze_dead_letters"),
      actual: await count("SELECT sum(events) FROM silver_ledger WHERE term = 'rejected'"),
    },
    {
      name: "ledger closed: bronze = silver + copies + what is held back",
      expected: await rowsOfLayer("bronze", connection, count),
      actual:
        (await rowsOfLayer("silver", connection, count)) +
        (await count(
          `SELECT sum(events) FROM silver_ledger WHERE term IN ('duplicate', 'superseded', 'quarantined', 'expired') AND topic NOT IN (${ownTopics})`,
        )),
    },
    {
      name: "ledger published: bronze = silver + copies + what is held back",
      expected: await count("SELECT sum(events) FROM silver_ledger WHERE term = 'bronze'"),
      actual: await count(
        "SELECT sum(events) FROM silver_ledger WHERE term IN ('silver', 'duplicate', 'superseded', 'quarantined', 'expired')",
      ),
    },
    { name: "partitions that are not built", expected: 0, actual: standing.unbuilt + standing.failed.length },
    {
      name: "blocking checks that failed",
      expected: 0,
      actual: await count("SELECT count(*) FROM quality_results WHERE passed = 0 AND on_fail = 'block'"),
    },
  );
  for (const model of evidence.models) {
    const { published, expected, differing } = await compareWithDuckDb(connection, model);
    checks.push({ name: `${model.name}: rows = DuckDB's own run over silver`, expected, actual: published });
    checks.push({ name: `${model.name}: rows that differ from DuckDB's`, expected: 0, actual: differing });
  }
  return checks;
}

/** Rows of the topics of producers and of the dead letters; the published ledger is no topic's table. */
export async function rowsOfLayer(
  layer: "bronze" | "silver",
  connection: DuckDBConnection,
  count: (sql: string) => Promise<number>,
): Promise<number> {
  const views = (
    await connection.runAndReadAll(
      "SELECT view_name FROM duckdb_views() WHERE view_name LIKE $layer || '\\_%' ESCAPE '\\' AND view_name <> 'silver_ledger'",
      { layer },
    )
  ).getRows();
  let total = 0;
  const own = OWN_TOPICS.map((topic) => `${layer}_${topic}`);
  for (const [name] of views.filter(([name]) => !own.includes(String(name))))
    total += await count(`SELECT count(*) FROM ${name}`);
  return total;
}

/** Accepted ids whose number of rows in bronze is not the number of times they were sent. */
async function countMisplaced(
  connection: DuckDBConnection,
  expectations: Expectations,
  bronzeIds: string,
): Promise<number> {
  const sent = new Map<string, number>();
  for (const { eventId } of expectations.acceptedIds) sent.set(eventId, (sent.get(eventId) ?? 0) + 1);
  const rows = (
    await connection.runAndReadAll(`SELECT event_id, count(*) FROM (${bronzeIds}) GROUP BY event_id`)
  ).getRows();
  let misplaced = 0;
  for (const [eventId, copies] of rows) {
    if (sent.get(String(eventId)) !== Number(copies)) misplaced++;
    sent.delete(String(eventId));
  }
  return misplaced + sent.size;
}
