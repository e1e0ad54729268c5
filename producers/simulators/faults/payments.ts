/** Faults of payments. */
import type { PaymentEvent } from "../payments.ts";
import { type Fault, LONE_SURROGATE, withFields } from "./fault.ts";

export const paymentFaults: readonly Fault<PaymentEvent>[] = [
  missing("payment_id"),
  missing("order_id"),
  missing("amount"),
  missing("attempt"),
  {
    name: "attempt_is_text",
    expected: "TYPE_MISMATCH",
    corrupt: (payment) => withFields(payment, { attempt: "first" }),
  },
  {
    name: "amount_is_an_object",
    expected: "TYPE_MISMATCH",
    corrupt: (payment) => withFields(payment, { amount: { value: payment.amount, currency: payment.currency } }),
  },
  {
    name: "amount_beyond_scale",
    expected: "TYPE_MISMATCH",
    corrupt: (payment) => withFields(payment, { amount: (Math.round(payment.amount * 100) * 10 + 5) / 1_000 }),
  },
  {
    name: "unknown_method",
    expected: "INVALID_ENUM",
    corrupt: (payment, { random }) => withFields(payment, { method: random.pick(["crypto", "cash", "CARD"]) }),
  },
  {
    name: "unknown_status",
    expected: "INVALID_ENUM",
    corrupt: (payment) => withFields(payment, { status: "pending" }),
  },
  {
    name: "unknown_currency",
    expected: "INVALID_ENUM",
    corrupt: (payment) => withFields(payment, { currency: "XBT" }),
  },
  {
    name: "payment_id_too_short",
    expected: "INVALID_FORMAT",
    corrupt: (payment) => withFields(payment, { payment_id: payment.payment_id.slice(0, 7) }),
  },
  {
    name: "failure_reason_with_lone_surrogate",
    expected: "INVALID_FORMAT",
    corrupt: (payment) => withFields(payment, { failure_reason: `declined ${LONE_SURROGATE}` }),
  },
  {
    name: "amount_negative",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (payment) => withFields(payment, { amount: -payment.amount }),
  },
  {
    name: "amount_too_high",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (payment, { random }) => withFields(payment, { amount: random.int(1_000_001, 9_999_999) }),
  },
  {
    name: "attempt_out_of_range",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (payment, { random }) => withFields(payment, { attempt: random.pick([0, -1, 21, 1_000]) }),
  },
  {
    name: "refund_without_reason",
    expected: "RULE_VIOLATION",
    corrupt: (payment, { random }) =>
      withFields(payment, {
        status: "refunded",
        failure_reason: undefined,
        refund_reason: random.pick([undefined, null, ""]),
      }),
  },
];

function missing(field: keyof PaymentEvent): Fault<PaymentEvent> {
  return {
    name: `${field}_missing`,
    expected: "MISSING_FIELD",
    corrupt: (payment) => withFields(payment, { [field]: undefined }),
  };
}
