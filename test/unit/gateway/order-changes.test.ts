/** The rules of order_changes: an order moves along its path, and the rows before and after fit the operation. */
import { describe, expect, test } from "vitest";
import { admitterOf } from "../../../gateway/admit/topics.ts";
import { createEventBuffer } from "../../../schemas/event-buffer.ts";
import { NOW } from "./harness.ts";

const STATUSES = ["placed", "confirmed", "shipped", "delivered", "cancelled"] as const;
const STEPS = ["placed>confirmed", "placed>cancelled", "confirmed>shipped", "confirmed>cancelled", "shipped>delivered"];

function row(status: string, orderId = "ord_abc123") {
  return {
    order_id: orderId,
    customer_id: "cus_00001",
    status,
    currency: "EUR",
    amount: 12.5,
    channel: "web",
    updated_at: "2026-11-21T11:58:00.000Z",
  };
}

/** The rules that the change breaks, or its error types where no rule speaks. */
function broken(op: string, before: unknown, after: unknown): string[] {
  const event = {
    event_id: "orders:1",
    order_id: "ord_abc123",
    op,
    event_timestamp: "2026-11-21T11:59:00.000Z",
    transaction_id: 7,
    lsn: 42,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
  const admission = admitterOf("order_changes")?.admit(event, 0, null, {
    received: NOW * 1_000,
    suspectSurrogates: true,
    output: createEventBuffer(16),
    masker: null,
  });
  if (admission === undefined) throw new Error("there is no topic order_changes");
  return admission.accepted ? [] : admission.errors.map((error) => error.rule ?? error.error_type);
}

describe("order_changes", () => {
  test("an update follows the order's path, or leaves the status as it is", () => {
    for (const from of STATUSES) {
      for (const to of STATUSES) {
        const allowed = from === to || STEPS.includes(`${from}>${to}`);
        expect([from, to, broken("update", row(from), row(to))]).toEqual([
          from,
          to,
          allowed ? [] : ["order_changes.status_follows_its_path"],
        ]);
      }
    }
  });

  test.each([null, undefined])("without a row stands %s", (none) => {
    expect(broken("insert", none, row("placed"))).toEqual([]);
    expect(broken("delete", row("delivered"), none)).toEqual([]);
    expect(broken("update", row("placed"), none)).toEqual(["order_changes.images_fit_the_operation"]);
    expect(broken("update", none, row("placed"))).toEqual(["order_changes.images_fit_the_operation"]);
    expect(broken("insert", none, none)).toEqual(["order_changes.images_fit_the_operation"]);
    expect(broken("insert", none, row("shipped"))).toEqual(["order_changes.starts_as_placed"]);
  });

  test("an insert has no row before it, a delete none after it", () => {
    expect(broken("insert", row("placed"), row("placed"))).toEqual(["order_changes.images_fit_the_operation"]);
    expect(broken("delete", row("placed"), row("placed"))).toEqual(["order_changes.images_fit_the_operation"]);
  });

  test("rows of another order are refused", () => {
    expect(broken("insert", null, row("placed", "ord_other99"))).toEqual(["order_changes.images_are_of_the_order"]);
    expect(broken("delete", row("placed", "ord_other99"), null)).toEqual(["order_changes.images_are_of_the_order"]);
  });

  test("a broken row is described inside the row", () => {
    expect(broken("insert", null, { ...row("placed"), status: undefined })).toEqual(["MISSING_FIELD"]);
    expect(broken("insert", null, "placed")).toEqual(["TYPE_MISMATCH"]);
    expect(broken("insert", null, { ...row("placed"), amount: 0 })).toContain("order_changes.after.amount.minimum");
  });
});
