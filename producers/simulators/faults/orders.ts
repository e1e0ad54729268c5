/** Faults of orders. Where a number is broken, the amount still adds up, so that no second rule speaks. */
import type { OrderEvent, OrderItem } from "../orders.ts";
import { type Fault, LONE_SURROGATE, withFields } from "./fault.ts";

export const orderFaults: readonly Fault<OrderEvent>[] = [
  missing("order_id"),
  missing("customer_id"),
  missing("currency"),
  missing("items"),
  {
    name: "item_sku_missing",
    expected: "MISSING_FIELD",
    corrupt: (order) => withFirstItem(order, { sku: undefined }),
  },
  {
    name: "quantity_is_text",
    expected: "TYPE_MISMATCH",
    corrupt: (order) => withFirstItem(order, { quantity: "two" }),
  },
  {
    name: "items_is_an_object",
    expected: "TYPE_MISMATCH",
    corrupt: (order) => withFields(order, { items: { ...order.items[0] } }),
  },
  {
    name: "customer_id_is_a_number",
    expected: "TYPE_MISMATCH",
    corrupt: (order) => withFields(order, { customer_id: Number(order.customer_id.replace(/\D/g, "")) }),
  },
  {
    // Within the rule's cent of the sum: only the third decimal is wrong.
    name: "amount_beyond_scale",
    expected: "TYPE_MISMATCH",
    corrupt: (order) => withFields(order, { amount: (Math.round(order.amount * 100) * 10 + 5) / 1_000 }),
  },
  {
    name: "unknown_currency",
    expected: "INVALID_ENUM",
    corrupt: (order, { random }) => withFields(order, { currency: random.pick(["XBT", "usd", "EURO"]) }),
  },
  {
    name: "unknown_status",
    expected: "INVALID_ENUM",
    corrupt: (order, { random }) => withFields(order, { status: random.pick(["returned", "PLACED", "lost"]) }),
  },
  {
    name: "unknown_channel",
    expected: "INVALID_ENUM",
    corrupt: (order) => withFields(order, { channel: "phone" }),
  },
  {
    name: "order_id_without_prefix",
    expected: "INVALID_FORMAT",
    corrupt: (order) => withFields(order, { order_id: order.order_id.replace("ord_", "#").toUpperCase() }),
  },
  {
    name: "item_name_with_lone_surrogate",
    expected: "INVALID_FORMAT",
    corrupt: (order) => withFirstItem(order, { name: `${order.items[0]?.name} ${LONE_SURROGATE}` }),
  },
  {
    name: "amount_negative",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (order) =>
      withFields(order, {
        amount: -order.amount,
        items: order.items.map((item) => ({ ...item, unit_price: -item.unit_price })),
      }),
  },
  {
    name: "amount_zero",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (order) =>
      withFields(order, { amount: 0, items: order.items.map((item) => ({ ...item, unit_price: 0 })) }),
  },
  {
    name: "quantity_zero",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (order) =>
      withFields(order, {
        items: [...order.items, { sku: "sku_0000", name: "Napkins", quantity: 0, unit_price: 0.5 }],
      }),
  },
  {
    name: "amount_not_the_sum",
    expected: "RULE_VIOLATION",
    corrupt: (order, { random }) =>
      withFields(order, { amount: (Math.round(order.amount * 100) + random.int(2, 5_000)) / 100 }),
  },
  {
    // 200 lines with names of 220 characters of three bytes: inside every limit of the contract, but 132 KB in any encoding.
    name: "catering_order",
    expected: "EVENT_TOO_LARGE",
    corrupt: (order) =>
      withFields(order, {
        amount: 200,
        items: Array.from({ length: 200 }, (_, line) => ({
          sku: `sku_${String(9_000 + line)}`,
          name: "特製弁当と味噌汁の盛り".repeat(20),
          quantity: 1,
          unit_price: 1,
        })),
      }),
  },
];

function missing(field: keyof OrderEvent): Fault<OrderEvent> {
  return {
    name: `${field}_missing`,
    expected: "MISSING_FIELD",
    corrupt: (order) => withFields(order, { [field]: undefined }),
  };
}

function withFirstItem(order: OrderEvent, fields: Partial<Record<keyof OrderItem, unknown>>): string {
  return withFields(order, { items: order.items.map((item, line) => (line === 0 ? { ...item, ...fields } : item)) });
}
