/* ---
description: What became of the events of each topic, hour by hour, rejections by reason
partition: ledger_date
key: [ledger_date, hour, topic]
checks:
  - { metric: nullValues, column: topic, mustBe: 0, on_fail: block }
  - { metric: duplicateValues, columns: [ledger_date, hour, topic], mustBe: 0, on_fail: block }
max_rows: 100000
--- */
SELECT
  ledger_date,
  hour,
  topic,
  coalesce(sum(events) FILTER (WHERE term = 'accepted'), 0)::BIGINT AS accepted,
  coalesce(sum(events) FILTER (WHERE term = 'rejected'), 0)::BIGINT AS rejected,
  coalesce(sum(events) FILTER (WHERE error_type = 'MALFORMED_PAYLOAD'), 0)::BIGINT AS malformed_payload,
  coalesce(sum(events) FILTER (WHERE error_type = 'UNKNOWN_SCHEMA'), 0)::BIGINT AS unknown_schema,
  coalesce(sum(events) FILTER (WHERE error_type = 'MISSING_FIELD'), 0)::BIGINT AS missing_field,
  coalesce(sum(events) FILTER (WHERE error_type = 'TYPE_MISMATCH'), 0)::BIGINT AS type_mismatch,
  coalesce(sum(events) FILTER (WHERE error_type = 'UNKNOWN_FIELD'), 0)::BIGINT AS unknown_field,
  coalesce(sum(events) FILTER (WHERE error_type = 'INVALID_ENUM'), 0)::BIGINT AS invalid_enum,
  coalesce(sum(events) FILTER (WHERE error_type = 'INVALID_FORMAT'), 0)::BIGINT AS invalid_format,
  coalesce(sum(events) FILTER (WHERE error_type = 'VALUE_OUT_OF_RANGE'), 0)::BIGINT AS value_out_of_range,
  coalesce(sum(events) FILTER (WHERE error_type = 'TIMESTAMP_OUT_OF_RANGE'), 0)::BIGINT AS timestamp_out_of_range,
  coalesce(sum(events) FILTER (WHERE error_type = 'RULE_VIOLATION'), 0)::BIGINT AS rule_violation,
  coalesce(sum(events) FILTER (WHERE error_type = 'EVENT_TOO_LARGE'), 0)::BIGINT AS event_too_large,
  coalesce(sum(events) FILTER (WHERE error_type = 'QUALITY_GATE'), 0)::BIGINT AS quality_gate,
  coalesce(sum(events) FILTER (WHERE term = 'duplicate'), 0)::BIGINT AS duplicates,
  coalesce(sum(events) FILTER (WHERE term = 'quarantined'), 0)::BIGINT AS quarantined
FROM silver_ledger
GROUP BY ledger_date, hour, topic
