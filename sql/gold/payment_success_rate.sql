/* ---
description: Share of payment attempts that succeeded, by day and method
partition: event_date
key: [event_date, method]
checks:
  - { metric: rowCount, mustBeGreaterThan: 0, on_fail: block }
  - { metric: nullValues, column: method, mustBe: 0, on_fail: block }
  - { metric: duplicateValues, columns: [event_date, method], mustBe: 0, on_fail: block }
max_rows: 100000
--- */
-- A refund is no attempt: it follows one that succeeded. Without an attempt the rate is NULL.
SELECT
  event_date,
  method,
  count(*) FILTER (WHERE status IN ('succeeded', 'failed')) AS attempts,
  count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
  count(*) FILTER (WHERE status = 'failed') AS failed,
  count(*) FILTER (WHERE status = 'refunded') AS refunded,
  succeeded / nullif(attempts, 0) AS success_rate
FROM silver_payments
GROUP BY event_date, method
