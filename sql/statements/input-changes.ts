/** One more change of a partition's inputs, in D1. */

/** Nothing has changed since the last build, or since the last one that failed. */
const FIRST = `(version = built_version OR version = (SELECT l.failed_version FROM partition_leases l
  WHERE l.domain = partition_inputs.domain AND l.partition_date = partition_inputs.partition_date))`;

/**
 * What an update of `partition_inputs` sets. The first change is noted here, when it came and behind which flushes: left to the trigger
 * (`partition_inputs_changed`) it would be the same row written twice.
 */
export const ONE_MORE_CHANGE = `version = version + 1,
  changed_at = iif(${FIRST}, CAST(unixepoch('subsec') * 1000 AS INTEGER), changed_at),
  unseen_after = iif(${FIRST}, coalesce((SELECT max(registration) FROM shards WHERE topic = partition_inputs.domain), 0), unseen_after)`;
