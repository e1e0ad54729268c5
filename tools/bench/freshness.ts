/** How long a posted event takes to be readable in bronze and in gold, on the local platform as `npm run dev` runs it. */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { buildBundle } from "../build/bundle.ts";
import { openLake } from "../lake/open.ts";
import { bindingsSource } from "../lake/source.ts";
import type { Platform } from "../local-platform/platform.ts";
import type { Bench } from "./bench.ts";

const ROUNDS = 3;
const BRONZE_BUDGET_SECONDS = 10;
const GOLD_BUDGET_SECONDS = 60;

const root = resolve(import.meta.dirname, "../..");

export const bench: Bench = {
  explanation: `Posts one order, ${ROUNDS} times, and polls DuckDB views over the lake until it is in bronze_orders and counted in daily_order_revenue.
Budgets: ${BRONZE_BUDGET_SECONDS} s and ${GOLD_BUDGET_SECONDS} s; the ratio is the worse of the two shares.`,
  async run(log) {
    const { startPlatform } = await import("../local-platform/platform.ts");
    const folder = mkdtempSync(join(tmpdir(), "sluice-freshness-"));
    const bundle = await buildBundle({ root, outdir: "dist" });
    const edge = availableParallelism() > 1;
    const platform = await startPlatform({ root, bundle, stateDir: join(folder, "state"), port: 0, edge });
    const bronze: number[] = [];
    const gold: number[] = [];
    try {
      for (let round = 1; round <= ROUNDS; round++) {
        const posted = performance.now();
        await post(platform, `fresh-${round}`);
        await until(
          async () =>
            (await count(platform, `SELECT count(*) FROM bronze_orders WHERE event_id = 'fresh-${round}'`)) === 1,
        );
        bronze.push((performance.now() - posted) / 1_000);
        await until(async () => (await count(platform, "SELECT sum(orders) FROM daily_order_revenue")) === round);
        gold.push((performance.now() - posted) / 1_000);
        log(`round ${round}: bronze after ${bronze.at(-1)?.toFixed(1)} s, gold after ${gold.at(-1)?.toFixed(1)} s`);
      }
    } finally {
      await platform.stop();
      rmSync(folder, { recursive: true, force: true });
    }
    const bronzeSeconds = Math.max(...bronze);
    const goldSeconds = Math.max(...gold);
    const ratio = Math.max(bronzeSeconds / BRONZE_BUDGET_SECONDS, goldSeconds / GOLD_BUDGET_SECONDS);
    return { ratio, budget: 1, ok: ratio <= 1, bronze_seconds: bronzeSeconds, gold_seconds: goldSeconds };
  },
};

async function post(platform: Platform, eventId: string): Promise<void> {
  const response = await fetch(`${platform.url}/v1/topics/orders/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${platform.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      event_id: eventId,
      order_id: "ord_000001",
      customer_id: "cus_1",
      event_timestamp: new Date().toISOString(),
      status: "placed",
      currency: "EUR",
      amount: 12.5,
      channel: "web",
      items: [{ sku: "soup", name: "Soup of the day", quantity: 1, unit_price: 12.5 }],
    }),
  });
  if (response.status !== 202) throw new Error(`the gateway answered ${response.status}: ${await response.text()}`);
}

/** The one number of a query; 0 while a table it names does not exist. */
async function count(platform: Platform, sql: string): Promise<number> {
  const lake = await openLake({ source: bindingsSource(platform.db, platform.lake), cacheDir: platform.state.cache });
  try {
    const views = new Set(lake.views.map((view) => view.name));
    const table = /FROM (\w+)/.exec(sql)?.[1] ?? "";
    if (!views.has(table)) return 0;
    const [row] = (await lake.connection.runAndReadAll(sql)).getRows();
    return Number(row?.[0] ?? 0);
  } finally {
    lake.close();
  }
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error("not visible after two minutes");
    await delay(200);
  }
}
