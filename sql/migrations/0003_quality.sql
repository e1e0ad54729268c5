-- Rows that a build kept out of its snapshot, for checks that say quarantine. As immutable as the snapshot's own files.
CREATE TABLE quarantine_files (
  snapshot_id TEXT NOT NULL REFERENCES snapshots (snapshot_id),
  file TEXT NOT NULL,                  -- R2 key
  rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (snapshot_id, file)
) STRICT, WITHOUT ROWID;

-- A check in SQL may give no number: `measured` is then null. SQLite cannot drop NOT NULL, so the table is made again.
CREATE TABLE quality_results_next (
  run_id TEXT NOT NULL,
  layer TEXT NOT NULL,
  check_name TEXT NOT NULL,
  table_name TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  metric TEXT NOT NULL,
  measured REAL,                       -- null: the check's query gave no number, and the check failed
  bound TEXT NOT NULL,                 -- JSON of the contract's bound
  passed INTEGER NOT NULL,
  on_fail TEXT NOT NULL,
  failing_rows TEXT,                   -- JSON: up to 20 row numbers of the candidate
  candidate TEXT,                      -- R2 key of the first file that the failing rows stand in: the candidate's, or its quarantine's
  checked_at TEXT NOT NULL,
  PRIMARY KEY (run_id, layer, check_name)
) STRICT, WITHOUT ROWID;
INSERT INTO quality_results_next
  SELECT run_id, layer, check_name, table_name, partition_date, metric, measured, bound, passed, on_fail, failing_rows, candidate, checked_at FROM quality_results;
DROP TABLE quality_results;
ALTER TABLE quality_results_next RENAME TO quality_results;
