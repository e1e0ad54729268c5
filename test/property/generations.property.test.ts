/**
 * Whatever deploys come in which order, whoever builds and ticks in between, an older one beside it included: readers never see two
 * generations of a table at once, and at rest every table is what the newest deploy makes of all events.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTimestamp } from "../../schemas/time.ts";
import { publishedTable } from "../../sql/statements/published.ts";
import { longOrShare } from "../long-share.ts";
import { deploy } from "../oracle/deploys.ts";
import { makeMessage, uuidAt } from "../oracle/frames.ts";
import type { Lake } from "../oracle/lake.ts";

const START = Date.UTC(2026, 10, 16, 12);
const DAY_MS = 86_400_000;
const header = (lines: string) => `/* ---\ndescription: a test\n${lines}\n--- */\n`;
const daily = (factor: number) => `SELECT event_date, count(*) * ${factor} AS value FROM silver_orders GROUP BY 1`;
const two = `SELECT day, sum(v)::BIGINT AS total FROM (
  SELECT event_date AS day, value AS v FROM daily UNION ALL SELECT event_date + 1, value FROM daily) GROUP BY 1`;

/** Three meanings of `daily`; what reads it is the same text in each, and is not there in the first. */
function models(factor: number): Record<string, string> {
  return {
    "sql/gold/daily.sql": `${header("partition: event_date\nkey: [event_date]")}${daily(factor)}`,
    ...(factor === 1
      ? {}
      : { "sql/gold/two.sql": `${header("partition: day\nkey: [day]\ninputs:\n  daily: last(2)")}${two}` }),
  };
}

type Op =
  | { readonly do: "land"; readonly day: number }
  | { readonly do: "deploy"; readonly factor: number }
  /** The cron, the planner, and so many of the builds that it queues; the rest of the messages are lost. By an older deploy: its own. */
  | { readonly do: "walk" | "settle" }
  | { readonly do: "build"; readonly builds: number; readonly older: boolean };

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("land" as const), day: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("deploy" as const), factor: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("walk" as const, "settle" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("build" as const), builds: fc.nat(3), older: fc.boolean() }),
  },
);

let messages = 0;
async function land(lake: Lake, day: number): Promise<void> {
  const event = {
    ...{
      event_id: `e${++messages}`,
      order_id: "ord_000001",
      customer_id: "c1",
      status: "placed",
      currency: "EUR",
      amount: 10.5,
    },
    ...{ event_timestamp: formatTimestamp((START + day * DAY_MS) * 1_000), channel: "web" },
    items: [{ sku: "s", name: "n", quantity: 2, unit_price: 10.5 }],
  };
  const message = { topic: "orders", messageId: uuidAt(lake.now, messages), received: lake.now * 1_000 };
  await lake.land("orders", [makeMessage({ ...message, events: [{ event, extra: null, lexical: null }] })]);
}

async function build(lake: Lake, builds: number): Promise<void> {
  lake.now += 61_000;
  const known = (await lake.plan()).filter(({ domain }) => domain !== "silver_ledger");
  for (const { domain, date } of known.slice(0, builds)) await lake.build(lake.table(domain), date);
}

/** The generations that readers of a table see. */
async function seen(lake: Lake, table: string): Promise<unknown[]> {
  const shown = await publishedTable(lake.d1.binding, table);
  return lake.d1.rows(
    `SELECT DISTINCT generation FROM versions WHERE table_name = ?1
       AND version IN (SELECT max(version) FROM versions WHERE table_name = ?1 AND version <= ?2 GROUP BY partition_date)`,
    table,
    shown?.version ?? 0,
  );
}

async function atRest(lake: Lake): Promise<void> {
  for (let quiet = 0; quiet < 3; lake.now += 61_000) {
    const logged = await lake.walk();
    quiet = (await lake.settle()).length === 0 && logged.length === 0 ? quiet + 1 : 0;
  }
}

test("readers see one generation of a table; at rest it is the newest deploy's", async () => {
  let changes = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 6, maxLength: 16, size: "max" }), async (ops) => {
      let releases = 0;
      const released = () => new Date(START + ++releases * 1_000).toISOString();
      let factor = 2;
      let lake = await deploy({ models: models(factor) }, released(), START + 3 * DAY_MS);
      let older = lake;
      await land(lake, 0);
      await land(lake, 1);
      await atRest(lake);
      for (const one of ops) {
        switch (one.do) {
          case "land":
            await land(lake, one.day);
            break;
          case "deploy":
            changes += one.factor === factor ? 0 : 1;
            factor = one.factor;
            older = lake;
            lake = await deploy({ models: models(factor) }, released(), lake);
            break;
          case "walk":
            await lake.walk();
            await older.walk();
            break;
          case "settle":
            await lake.settle();
            break;
          case "build":
            await build(one.older ? older : lake, one.builds);
        }
        for (const table of ["daily", "two"]) expect((await seen(lake, table)).length, table).toBeLessThanOrEqual(1);
      }
      await atRest(lake);
      expect(await lake.query("FROM daily ORDER BY 1")).toEqual(await lake.query(`${daily(factor)} ORDER BY 1`));
      if (factor === 1) return;
      const own = `SELECT * FROM (${two}) WHERE day IN (SELECT event_date FROM daily) ORDER BY 1`;
      expect(await lake.query("FROM two ORDER BY 1")).toEqual(await lake.query(own));
      expect(
        lake.d1.rows("SELECT * FROM table_generations WHERE table_name IN ('daily', 'two') AND walking = 1"),
      ).toEqual([]);
    }),
    { numRuns: longOrShare(40, 4) },
  );
  expect(changes).toBeGreaterThan(0);
});
