/* ---
description: What people searched for, and how many of these sessions ordered later on that day
partition: event_date
key: [event_date, search_term]
engine: native
checks:
  - { metric: nullValues, column: search_term, mustBe: 0, on_fail: block }
--- */
-- Each search meets all orders of its session: on a large day that are more pairs than the edge holds.
SELECT
  s.event_date,
  s.search_term,
  count(DISTINCT s.event_id) AS searches,
  count(DISTINCT s.session_id) AS sessions,
  count(DISTINCT o.session_id) AS ordering_sessions
FROM silver_clickstream AS s
LEFT JOIN silver_clickstream AS o
  ON o.session_id = s.session_id
  AND o.event_date = s.event_date
  AND o.event_type = 'order_placed'
  AND o.event_timestamp > s.event_timestamp
WHERE s.event_type = 'search' AND s.search_term IS NOT NULL
GROUP BY s.event_date, s.search_term
