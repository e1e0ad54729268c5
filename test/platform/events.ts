/** Valid events to start from. */

const NOW = Date.now();

export function order(id: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    event_id: id,
    order_id: "ord_000001",
    customer_id: "cus_1",
    event_timestamp: new Date(NOW - 60_000).toISOString(),
    status: "placed",
    currency: "EUR",
    amount: 20.5,
    channel: "web",
    items: [{ sku: "pizza", name: "Pizza Margherita", quantity: 2, unit_price: 10.25 }],
    ...changes,
  };
}

export function payment(id: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    event_id: id,
    payment_id: "pay_000001",
    order_id: "ord_000001",
    event_timestamp: new Date(NOW - 60_000).toISOString(),
    method: "card",
    status: "succeeded",
    amount: 20.5,
    currency: "EUR",
    attempt: 1,
    ...changes,
  };
}

export function weather(id: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    event_id: id,
    station_id: "SE-001",
    city: "Malmö",
    country: "SE",
    event_timestamp: new Date(NOW - 60_000).toISOString(),
    temperature_c: 4.5,
    humidity_pct: 81,
    pressure_hpa: 1009.25,
    wind_speed_ms: 7,
    condition: "rain",
    is_forecast: false,
    ...changes,
  };
}
