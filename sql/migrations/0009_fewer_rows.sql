-- The bookkeeping of builds in fewer rows: D1 bills each that is written, an index's too, and an open partition is built every minute.

-- Runs that ended, a row each, written at their end with what their checks found. One that runs is its partition's lease.
CREATE TABLE ended_runs (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  run_id TEXT NOT NULL,
  fence INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('DONE', 'FAILED', 'LOST')),
  started_at TEXT NOT NULL,
  finished_at TEXT NOT NULL,
  rows_in INTEGER,
  rows_out INTEGER,
  error_message TEXT,
  checks TEXT,                         -- JSON: {table_name, checked_at, results: [{layer, check_name, metric, ...}]}; null: nothing was checked
  PRIMARY KEY (domain, partition_date, run_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE partition_leases ADD COLUMN started_at TEXT; -- when the run that holds the lease began

-- All runs, and all results of checks. The tables runs and quality_results keep what versions before this one wrote, and may write still.
CREATE VIEW run_history AS
  SELECT run_id, domain, partition_date, fence, status, started_at, finished_at, rows_in, rows_out, error_message FROM ended_runs
  UNION ALL
  SELECT run_id, domain, partition_date, fence, status, started_at, finished_at, rows_in, rows_out, error_message FROM runs WHERE status <> 'RUNNING'
  UNION ALL
  SELECT l.run_id, l.domain, l.partition_date, l.fence, 'RUNNING', coalesce(r.started_at, l.started_at), NULL, NULL, NULL, NULL
  FROM partition_leases l LEFT JOIN runs r ON r.run_id = l.run_id WHERE l.run_id IS NOT NULL;

CREATE VIEW check_history AS
  SELECT r.run_id AS run_id, CAST(c.value ->> 'layer' AS TEXT) AS layer, CAST(c.value ->> 'check_name' AS TEXT) AS check_name,
    CAST(r.checks ->> 'table_name' AS TEXT) AS table_name, r.partition_date AS partition_date, CAST(c.value ->> 'metric' AS TEXT) AS metric,
    CAST(c.value ->> 'measured' AS REAL) AS measured, CAST(c.value ->> 'bound' AS TEXT) AS bound, CAST(c.value ->> 'passed' AS INTEGER) AS passed,
    CAST(c.value ->> 'on_fail' AS TEXT) AS on_fail, CAST(c.value ->> 'failing_rows' AS TEXT) AS failing_rows,
    CAST(c.value ->> 'candidate' AS TEXT) AS candidate, CAST(r.checks ->> 'checked_at' AS TEXT) AS checked_at
  FROM ended_runs r, json_each(r.checks, '$.results') c WHERE r.checks IS NOT NULL
  UNION ALL
  SELECT run_id, layer, check_name, table_name, partition_date, metric, measured, bound, passed, on_fail, failing_rows, candidate, checked_at
  FROM quality_results;

CREATE TRIGGER ended_runs_totals AFTER INSERT ON ended_runs BEGIN
  INSERT INTO run_totals (domain, status, runs, seconds, le_1, le_5, le_15, le_60, le_300, le_900)
    SELECT NEW.domain, NEW.status, 1, took, took <= 1, took <= 5, took <= 15, took <= 60, took <= 300, took <= 900
    FROM (SELECT max(0.0, (julianday(NEW.finished_at) - julianday(NEW.started_at)) * 86400) AS took) WHERE true
    ON CONFLICT DO UPDATE SET runs = runs + 1, seconds = seconds + excluded.seconds, le_1 = le_1 + excluded.le_1, le_5 = le_5 + excluded.le_5,
      le_15 = le_15 + excluded.le_15, le_60 = le_60 + excluded.le_60, le_300 = le_300 + excluded.le_300, le_900 = le_900 + excluded.le_900;
END;

-- Two rows a commit, for what reads little without them: retention, once an hour, reads the snapshots of a day, and the newest
-- snapshot of a table is the published one of its newest partition.
DROP INDEX snapshots_by_commit;
DROP INDEX snapshots_by_partition;

-- What a trigger says of a partition's inputs, by INSERT. A change counts only where it tells something: none of a partition that
-- has news already, and no builder that may have read its inputs. The next lease reads the version, and its build all that there is.
CREATE VIEW input_changes AS SELECT domain, partition_date FROM partition_inputs;
CREATE TRIGGER input_changes_insert INSTEAD OF INSERT ON input_changes BEGIN
  INSERT INTO partition_inputs (domain, partition_date, version) VALUES (NEW.domain, NEW.partition_date, 1)
    ON CONFLICT DO UPDATE SET version = version + 1
    WHERE version = built_version
      OR EXISTS (SELECT 1 FROM partition_leases l WHERE l.domain = NEW.domain AND l.partition_date = NEW.partition_date
                 AND (l.run_id IS NOT NULL OR l.failed_version IS NOT NULL))
      OR EXISTS (SELECT 1 FROM partition_replays r WHERE r.domain = NEW.domain AND r.partition_date = NEW.partition_date
                 AND r.replays <> r.built_replays);
END;

DROP TRIGGER bronze_file_dates_inputs;
CREATE TRIGGER bronze_file_dates_inputs AFTER INSERT ON bronze_file_dates
WHEN NOT EXISTS (SELECT 1 FROM compactions WHERE file = NEW.file) BEGIN
  INSERT INTO input_changes VALUES (NEW.topic, NEW.partition_date);
END;
DROP TRIGGER bronze_file_hours_inputs;
CREATE TRIGGER bronze_file_hours_inputs AFTER INSERT ON bronze_file_hours BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;
DROP TRIGGER ledger_inputs_insert;
CREATE TRIGGER ledger_inputs_insert AFTER INSERT ON ledger BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;
DROP TRIGGER ledger_inputs_update;
CREATE TRIGGER ledger_inputs_update AFTER UPDATE ON ledger WHEN NEW.events <> OLD.events BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;
DROP TRIGGER ledger_duplicates_inputs_insert;
CREATE TRIGGER ledger_duplicates_inputs_insert AFTER INSERT ON ledger_duplicates BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;
DROP TRIGGER ledger_duplicates_inputs_update;
CREATE TRIGGER ledger_duplicates_inputs_update AFTER UPDATE ON ledger_duplicates WHEN NEW.events <> OLD.events BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;
DROP TRIGGER ledger_outcomes_inputs_insert;
CREATE TRIGGER ledger_outcomes_inputs_insert AFTER INSERT ON ledger_outcomes BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;
DROP TRIGGER ledger_outcomes_inputs_update;
CREATE TRIGGER ledger_outcomes_inputs_update AFTER UPDATE ON ledger_outcomes WHEN NEW.events <> OLD.events BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;
