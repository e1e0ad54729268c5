-- A change of a partition's inputs is one row written, not two: when the first one behind a build came is noted by the statement that
-- counts it. The trigger does it for a version before this one, whose statements note nothing.
DROP TRIGGER partition_inputs_changed;
CREATE TRIGGER partition_inputs_changed AFTER UPDATE OF version ON partition_inputs
WHEN NEW.changed_at = OLD.changed_at AND NEW.version <> NEW.built_version AND (OLD.version = OLD.built_version
  OR OLD.version = (SELECT l.failed_version FROM partition_leases l WHERE l.domain = NEW.domain AND l.partition_date = NEW.partition_date)) BEGIN
  UPDATE partition_inputs SET changed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER),
    unseen_after = coalesce((SELECT max(registration) FROM shards WHERE topic = NEW.domain), 0)
    WHERE domain = NEW.domain AND partition_date = NEW.partition_date;
END;

DROP TRIGGER input_changes_insert;
CREATE TRIGGER input_changes_insert INSTEAD OF INSERT ON input_changes BEGIN
  INSERT INTO partition_inputs (domain, partition_date, version) VALUES (NEW.domain, NEW.partition_date, 1)
    ON CONFLICT DO UPDATE SET version = version + 1,
      changed_at = iif(version = built_version OR version = (SELECT l.failed_version FROM partition_leases l
          WHERE l.domain = NEW.domain AND l.partition_date = NEW.partition_date),
        CAST(unixepoch('subsec') * 1000 AS INTEGER), changed_at),
      unseen_after = iif(version = built_version OR version = (SELECT l.failed_version FROM partition_leases l
          WHERE l.domain = NEW.domain AND l.partition_date = NEW.partition_date),
        coalesce((SELECT max(registration) FROM shards WHERE topic = NEW.domain), 0), unseen_after)
    WHERE version = built_version
      OR EXISTS (SELECT 1 FROM partition_leases l WHERE l.domain = NEW.domain AND l.partition_date = NEW.partition_date
                 AND (l.run_id IS NOT NULL OR l.failed_version IS NOT NULL))
      OR EXISTS (SELECT 1 FROM partition_replays r WHERE r.domain = NEW.domain AND r.partition_date = NEW.partition_date
                 AND r.replays <> r.built_replays);
END;
