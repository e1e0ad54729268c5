-- Runs that ended without a commit: they may have staged files that nothing refers to. A row goes once its run's files have their
-- tombstones.
CREATE TABLE abandoned_runs (
  run_id TEXT PRIMARY KEY,
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('FAILED', 'LOST')),
  ended_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX abandoned_runs_by_end ON abandoned_runs (ended_at);

INSERT INTO abandoned_runs (run_id, domain, partition_date, status, ended_at)
  SELECT run_id, domain, partition_date, status, coalesce(finished_at, started_at) FROM runs WHERE status IN ('FAILED', 'LOST');

CREATE TRIGGER ended_runs_abandoned AFTER INSERT ON ended_runs WHEN NEW.status IN ('FAILED', 'LOST') BEGIN
  INSERT INTO abandoned_runs (run_id, domain, partition_date, status, ended_at)
    VALUES (NEW.run_id, NEW.domain, NEW.partition_date, NEW.status, NEW.finished_at) ON CONFLICT DO NOTHING;
END;
-- The version before this one ends its runs so.
CREATE TRIGGER runs_abandoned AFTER UPDATE OF status ON runs WHEN NEW.status IN ('FAILED', 'LOST') AND OLD.status = 'RUNNING' BEGIN
  INSERT INTO abandoned_runs (run_id, domain, partition_date, status, ended_at)
    VALUES (NEW.run_id, NEW.domain, NEW.partition_date, NEW.status, coalesce(NEW.finished_at, NEW.started_at)) ON CONFLICT DO NOTHING;
END;
