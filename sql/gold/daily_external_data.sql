/* ---
description: Observations of outside sources by day and kind
partition: event_date
key: [event_date, source_kind]
checks:
  - { metric: rowCount, mustBeGreaterThan: 0, on_fail: block }
  - { metric: nullValues, column: source_kind, mustBe: 0, on_fail: block }
  - { metric: duplicateValues, columns: [event_date, source_kind], mustBe: 0, on_fail: block }
max_rows: 100000
--- */
-- Each average is NULL for the kinds that do not carry its field.
SELECT
  event_date,
  source_kind,
  count(*) AS observations,
  count(DISTINCT source_name) AS sources,
  avg(maps.travel_time_s) AS avg_travel_time_s,
  sum(social.mentions)::BIGINT AS mentions,
  avg(social.sentiment) AS avg_sentiment,
  avg(market.price) AS avg_price
FROM silver_external_data
GROUP BY event_date, source_kind
