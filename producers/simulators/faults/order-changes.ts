/** Faults of order changes. Where a row is broken, the other one and the operation still fit, so that no second rule speaks. */
import type { OrderChangeEvent, OrderRow } from "../order-changes.ts";
import { type Fault, LONE_SURROGATE, withFields } from "./fault.ts";

export const orderChangeFaults: readonly Fault<OrderChangeEvent>[] = [
  missing("order_id"),
  missing("op"),
  missing("lsn"),
  {
    name: "row_status_missing",
    expected: "MISSING_FIELD",
    corrupt: (change) => withRow(change, { status: undefined }),
  },
  {
    name: "row_amount_is_text",
    expected: "TYPE_MISMATCH",
    corrupt: (change) => withRow(change, { amount: "a lot" }),
  },
  {
    name: "row_is_text",
    expected: "TYPE_MISMATCH",
    corrupt: (change) => withFields(change, { after: JSON.stringify(change.after ?? change.before) }),
  },
  {
    name: "lsn_as_postgres_prints_it",
    expected: "TYPE_MISMATCH",
    corrupt: (change) => withFields(change, { lsn: `16/${change.lsn.toString(16).toUpperCase()}` }),
  },
  {
    name: "unknown_op",
    expected: "INVALID_ENUM",
    corrupt: (change, { random }) =>
      withFields(change, {
        op: random.pick(["u", "UPDATE", "truncate"]),
        before: rowOf(change, "confirmed"),
        after: rowOf(change, "confirmed"),
      }),
  },
  {
    name: "row_status_unknown",
    expected: "INVALID_ENUM",
    corrupt: (change) =>
      withFields(change, {
        op: "delete",
        before: { ...(change.after ?? change.before), status: "returned" },
        after: null,
      }),
  },
  {
    name: "order_id_is_a_number",
    expected: "INVALID_FORMAT",
    corrupt(change, { random }) {
      const order_id = String(random.int(1, 1_000_000));
      const before = change.before === null ? null : { ...change.before, order_id };
      const after = change.after === null ? null : { ...change.after, order_id };
      return withFields(change, { order_id, before, after });
    },
  },
  {
    name: "row_updated_at_as_a_database_prints_it",
    expected: "INVALID_FORMAT",
    corrupt: (change) => withRow(change, { updated_at: "2026-01-31 12:00:00.123456" }),
  },
  {
    name: "row_coupon_with_lone_surrogate",
    expected: "INVALID_FORMAT",
    corrupt: (change) => withRow(change, { coupon: `SUN${LONE_SURROGATE}` }),
  },
  {
    name: "transaction_id_zero",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (change) => withFields(change, { transaction_id: 0 }),
  },
  {
    name: "row_amount_negative",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (change, { random }) => withRow(change, { amount: -random.int(1, 100) }),
  },
  {
    name: "insert_with_a_row_before",
    expected: "RULE_VIOLATION",
    corrupt: (change) => withStatuses(change, "insert", "placed", "confirmed"),
  },
  {
    name: "delete_with_a_row_after",
    expected: "RULE_VIOLATION",
    corrupt: (change) => withStatuses(change, "delete", "delivered", "delivered"),
  },
  {
    name: "status_skips_or_returns",
    expected: "RULE_VIOLATION",
    corrupt(change, { random }) {
      const [before, after] = random.pick([
        ["placed", "shipped"],
        ["placed", "delivered"],
        ["confirmed", "placed"],
        ["confirmed", "delivered"],
        ["shipped", "cancelled"],
        ["delivered", "cancelled"],
        ["cancelled", "confirmed"],
      ] as const);
      return withStatuses(change, "update", before, after);
    },
  },
  {
    name: "inserted_as_delivered",
    expected: "RULE_VIOLATION",
    corrupt: (change) => withFields(change, { op: "insert", before: null, after: rowOf(change, "delivered") }),
  },
  {
    name: "row_of_another_order",
    expected: "RULE_VIOLATION",
    corrupt: (change) => withRow(change, { order_id: "ord_000000another" }),
  },
];

function missing(field: keyof OrderChangeEvent): Fault<OrderChangeEvent> {
  return {
    name: `${field}_missing`,
    expected: "MISSING_FIELD",
    corrupt: (change) => withFields(change, { [field]: undefined }),
  };
}

/** The change with these fields in the row after it or, of a deletion, before it. */
function withRow(change: OrderChangeEvent, fields: Partial<Record<keyof OrderRow, unknown>>): string {
  return change.after === null
    ? withFields(change, { before: { ...change.before, ...fields } })
    : withFields(change, { after: { ...change.after, ...fields } });
}

function rowOf(change: OrderChangeEvent, status: OrderRow["status"]): object {
  return { ...(change.after ?? change.before), status };
}

function withStatuses(
  change: OrderChangeEvent,
  op: OrderChangeEvent["op"],
  before: OrderRow["status"],
  after: OrderRow["status"],
): string {
  return withFields(change, { op, before: rowOf(change, before), after: rowOf(change, after) });
}
