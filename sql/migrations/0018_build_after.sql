-- When to build: a partition waits until the first change that no build saw is older than its contract's buildAfter, or it has many
-- rows that no build saw. Both are noted with the first change after a build or a failed one, and with a build that did not see all.
ALTER TABLE partition_inputs ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;   -- milliseconds since the epoch, D1's clock; 0: not known
ALTER TABLE partition_inputs ADD COLUMN unseen_after INTEGER NOT NULL DEFAULT 0; -- of a topic: flushes with higher numbers count

CREATE TRIGGER partition_inputs_first AFTER INSERT ON partition_inputs BEGIN
  UPDATE partition_inputs SET changed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER),
    unseen_after = coalesce((SELECT max(registration) FROM shards WHERE topic = NEW.domain), 0)
    WHERE domain = NEW.domain AND partition_date = NEW.partition_date;
END;
CREATE TRIGGER partition_inputs_changed AFTER UPDATE OF version ON partition_inputs
WHEN NEW.version <> NEW.built_version AND (OLD.version = OLD.built_version
  OR OLD.version = (SELECT l.failed_version FROM partition_leases l WHERE l.domain = NEW.domain AND l.partition_date = NEW.partition_date)) BEGIN
  UPDATE partition_inputs SET changed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER),
    unseen_after = coalesce((SELECT max(registration) FROM shards WHERE topic = NEW.domain), 0)
    WHERE domain = NEW.domain AND partition_date = NEW.partition_date;
END;
CREATE TRIGGER partition_inputs_overtaken AFTER UPDATE OF built_version ON partition_inputs
WHEN NEW.version <> NEW.built_version BEGIN
  UPDATE partition_inputs SET changed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER),
    unseen_after = coalesce((SELECT max(registration) FROM shards WHERE topic = NEW.domain), 0)
    WHERE domain = NEW.domain AND partition_date = NEW.partition_date;
END;
