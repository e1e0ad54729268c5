/** Models over the orders of a lake in memory, in the place of the catalog's, so that the planner knows what they read. */
import type { LibraryCheck } from "../../contracts/contract.ts";
import type { EdgeModelTable } from "../../lakehouse/tables/catalog.ts";
import { modelChecks } from "../../lakehouse/tables/compiled/model-checks.ts";
import { formatTimestamp } from "../../schemas/time.ts";
import { compileModels } from "../../tools/build/models/compile-models.ts";
import { edgeModels } from "./edge-models.ts";
import { makeMessage, uuidAt } from "./frames.ts";
import { type Lake, tableOf } from "./lake.ts";

/** `text`: the front matter's lines behind `partition`, the line that ends it, and the SELECT. Throws the compiler's errors. */
export async function orderModel(text: string, checks: readonly LibraryCheck[] = []): Promise<EdgeModelTable> {
  const table = tableOf("daily_order_revenue");
  if (table.kind !== "model") throw new Error("daily_order_revenue is a model");
  const [model] = edgeModels(
    await compileModels({
      models: [
        {
          path: "sql/gold/daily_order_revenue.sql",
          text: `/* ---\ndescription: a test\npartition: event_date\n${text}`,
        },
      ],
      tables: ["orders", "payments"].map((domain) => {
        const { name, partition, fields } = tableOf(domain);
        return { name, partition, fields };
      }),
    }),
  );
  if (model === undefined) throw new Error("nothing was compiled");
  return { ...table, model, fields: model.fields, sortedBy: model.key, checks: [...modelChecks(model), ...checks] };
}

let messages = 0;

/** Lands orders that happened a minute before noon of 21 November; of one id they are copies. */
export async function landOrders(
  lake: Lake,
  orders: readonly { readonly id: number; readonly amount: number }[],
): Promise<void> {
  const events = orders.map(({ id, amount }) => ({ event: orderOf(id, amount), extra: null, lexical: null }));
  const messageId = uuidAt(lake.now, ++messages);
  await lake.land("orders", [makeMessage({ topic: "orders", messageId, received: lake.now * 1_000, events })]);
}

/** Of three currencies and two channels by its id, with so many lines, for cents. */
function orderOf(id: number, amount: number) {
  return {
    event_id: `e${id}`,
    order_id: `ord_${String(amount).padStart(6, "0")}`,
    customer_id: `c${id % 7}`,
    event_timestamp: formatTimestamp(Date.UTC(2026, 10, 21, 11, 59) * 1_000),
    status: "placed",
    currency: ["EUR", "USD", "INR"][id % 3],
    amount: amount / 100,
    channel: id % 2 === 0 ? "web" : "store",
    items: Array.from({ length: id % 4 }, (_, n) => ({ sku: `s${n}`, name: "n", quantity: n + 1, unit_price: 1 })),
  };
}
