/* ---
description: Visits to the site and the app - acts of one session with pauses of less than thirty minutes
partition: event_date
key: [event_date, session_id, visit]
checks:
  - { metric: rowCount, mustBeGreaterThan: 0, on_fail: block }
  - { metric: nullValues, column: began, mustBe: 0, on_fail: block }
--- */
-- A session that goes on after midnight begins a visit of the next day: days are built apart.
WITH acts AS (
  SELECT
    event_date,
    session_id,
    event_id,
    event_timestamp,
    event_type,
    event_timestamp - lag(event_timestamp) OVER in_session >= INTERVAL 30 MINUTE AS after_pause
  FROM silver_clickstream
  WINDOW in_session AS (PARTITION BY event_date, session_id ORDER BY event_timestamp, event_id)
),
numbered AS (
  SELECT
    *,
    1 + count(*) FILTER (WHERE after_pause) OVER (
      PARTITION BY event_date, session_id ORDER BY event_timestamp, event_id
    ) AS visit
  FROM acts
)
SELECT
  event_date,
  session_id,
  visit,
  min(event_timestamp) AS began,
  max(event_timestamp) AS ended,
  count(*) AS acts,
  count(*) FILTER (WHERE event_type = 'checkout_start') AS checkouts
FROM numbered
GROUP BY event_date, session_id, visit
