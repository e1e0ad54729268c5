/* ---
description: Revenue by day and currency
partition: event_date
key: [event_date, currency]
checks:
  - { metric: rowCount, mustBeGreaterThan: 0, on_fail: block }
  - { metric: nullValues, column: currency, mustBe: 0, on_fail: block }
  - { metric: duplicateValues, columns: [event_date, currency], mustBe: 0, on_fail: block }
max_rows: 100000
--- */
-- `items` counts the units sold: an order without lines counts 0.
SELECT
  event_date,
  currency,
  count(*) AS orders,
  coalesce(sum(list_sum(list_transform(items, lambda line: line.quantity))), 0)::BIGINT AS items,
  sum(amount) AS gross_revenue,
  avg(amount) AS avg_order_value
FROM silver_orders
GROUP BY event_date, currency
