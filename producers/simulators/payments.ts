/** Payments for the orders of a shop: bills are split among friends, declined ones tried again, some money goes back. */
import { Agenda } from "./agenda.ts";
import type { Currency } from "./catalogue.ts";
import type { OrderEvent } from "./orders.ts";
import type { Random } from "./random.ts";

export type PaymentMethod = "card" | "paypal" | "bank_transfer" | "wallet";

/** An event of the topic `payments`, as it goes over the wire. */
export interface PaymentEvent {
  readonly event_id: string;
  readonly payment_id: string;
  readonly order_id: string;
  readonly event_timestamp: string;
  readonly method: PaymentMethod;
  readonly status: "succeeded" | "failed" | "refunded";
  readonly amount: number;
  readonly currency: Currency;
  readonly attempt: number;
  readonly failure_reason?: string;
  readonly refund_reason?: string;
  readonly schema_version?: number;
}

export interface PaymentGenerator {
  /** Tells of an order's event: a placed order is to be paid, a cancelled one is paid back. */
  orderSeen(order: OrderEvent, nowMs: number): void;
  /** The provider's next answer, at this virtual time; null if no order seen so far leaves anything to pay. */
  next(nowMs: number): PaymentEvent | null;
}

interface Bill {
  cancelled: boolean;
  readonly orderId: string;
  readonly currency: Currency;
  readonly payments: Payment[];
}

interface Payment {
  readonly bill: Bill;
  readonly paymentId: string;
  readonly cents: number;
  method: PaymentMethod;
  attempt: number;
  state: "open" | "paid" | "settled";
  refundReason: string;
}

const SECOND_MS = 1_000;
const FAILURE_CHANCE = 0.18;
const COMPLAINT_CHANCE = 0.03;
const MAX_ATTEMPTS = 6;

const METHODS: readonly (readonly [PaymentMethod, number])[] = [
  ["card", 58],
  ["paypal", 17],
  ["wallet", 20],
  ["bank_transfer", 5],
];
const FAILURE_REASONS: readonly (readonly [string, number])[] = [
  ["insufficient_funds", 40],
  ["card_declined", 30],
  ["3ds_timeout", 15],
  ["provider_unavailable", 10],
  ["suspected_fraud", 5],
];

/** Payments of one shop; `pace` as in `createOrders`. Payments are only ever made for orders that were seen. */
export function createPayments(random: Random, pace: number): PaymentGenerator {
  const agenda = new Agenda<Payment>();
  const openBills = new Map<string, Bill>();

  function schedule(payment: Payment, nowMs: number, leastSeconds: number, furtherSeconds: number): void {
    agenda.add(nowMs + (leastSeconds + random.exponential(furtherSeconds)) * SECOND_MS * pace, payment);
  }

  function bill(order: OrderEvent, nowMs: number): void {
    const opened: Bill = { cancelled: false, orderId: order.order_id, currency: order.currency, payments: [] };
    for (const cents of splitAmount(random, Math.round(order.amount * 100), order.currency)) {
      const payment: Payment = {
        bill: opened,
        paymentId: `pay_${random.id(14)}`,
        cents,
        method: random.weighted(METHODS),
        attempt: 1,
        state: "open",
        refundReason: "",
      };
      opened.payments.push(payment);
      schedule(payment, nowMs, 5, 40);
    }
    openBills.set(order.order_id, opened);
  }

  function giveBack(payment: Payment, reason: string, nowMs: number): void {
    payment.refundReason = reason;
    schedule(payment, nowMs, 60, 600);
  }

  /** What the provider says of the payment now; null if there is nothing left to say. */
  function answer(payment: Payment, nowMs: number): PaymentEvent | null {
    if (payment.state === "settled" || (payment.state === "open" && payment.bill.cancelled)) return null;
    const base = {
      event_id: random.uuid(),
      payment_id: payment.paymentId,
      order_id: payment.bill.orderId,
      event_timestamp: new Date(nowMs).toISOString(),
      method: payment.method,
      amount: payment.cents / 100,
      currency: payment.bill.currency,
      attempt: payment.attempt,
      ...(random.chance(0.3) ? { schema_version: 1 } : {}),
    };
    if (payment.state === "paid") {
      payment.state = "settled";
      return { ...base, status: "refunded", refund_reason: payment.refundReason };
    }
    if (random.chance(FAILURE_CHANCE)) {
      if (payment.attempt < MAX_ATTEMPTS) {
        payment.attempt += 1;
        if (random.chance(0.2)) payment.method = random.weighted(METHODS);
        schedule(payment, nowMs, 10, 30);
      } else payment.state = "settled";
      return { ...base, status: "failed", failure_reason: random.weighted(FAILURE_REASONS) };
    }
    payment.state = "paid";
    if (random.chance(COMPLAINT_CHANCE)) giveBack(payment, random.pick(["item_missing", "late_delivery"]), nowMs);
    return { ...base, status: "succeeded" };
  }

  return {
    orderSeen(order, nowMs) {
      if (order.status === "placed") return bill(order, nowMs);
      if (order.status !== "cancelled" && order.status !== "delivered") return;
      const closed = openBills.get(order.order_id);
      openBills.delete(order.order_id);
      if (closed === undefined || order.status === "delivered") return;
      closed.cancelled = true;
      for (const payment of closed.payments) if (payment.state === "paid") giveBack(payment, "order_cancelled", nowMs);
    },
    next(nowMs) {
      // An entry not yet due is brought forward: the caller decides how many payments a run has.
      for (let payment = agenda.take(); payment !== undefined; payment = agenda.take()) {
        const event = answer(payment, nowMs);
        if (event !== null) return event;
      }
      return null;
    },
  };
}

/** Parts that add up to the amount, each at least one unit of the currency's smallest coin. */
function splitAmount(random: Random, cents: number, currency: Currency): number[] {
  const coin = currency === "JPY" ? 100 : 1;
  const coins = Math.round(cents / coin);
  const wanted = random.weighted([
    [1, 30],
    [2, 28],
    [3, 22],
    [4, 20],
  ]);
  const parts = Math.max(1, Math.min(wanted, coins));
  const share = Math.floor(coins / parts);
  return Array.from({ length: parts }, (_, part) => (part === 0 ? coins - share * (parts - 1) : share) * coin);
}
