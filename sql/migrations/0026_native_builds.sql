-- Builds by a native builder (lakehouse/builds/native/): who builds, what is being built, and which partitions go there although the
-- edge's classes would do. Times in milliseconds are D1's clock.
CREATE TABLE builders (
  id TEXT PRIMARY KEY,                 -- random for each process
  name TEXT NOT NULL,
  duckdb TEXT NOT NULL,                -- its DuckDB's version
  memory_bytes INTEGER NOT NULL,
  threads INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,            -- written once a minute at the most
  worked_at INTEGER NOT NULL,          -- when it last got work: how often it is to ask follows from it
  run_id TEXT                          -- what it builds
) STRICT, WITHOUT ROWID;

CREATE TABLE native_runs (
  run_id TEXT PRIMARY KEY,
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  fence INTEGER NOT NULL,
  builder_id TEXT NOT NULL,
  key_id TEXT NOT NULL,                -- of the key that took the lease: no other may speak for the run
  started_at INTEGER NOT NULL,
  phase TEXT,                          -- fetch, run, check, upload; null: nothing was said yet
  done REAL,                           -- of the phase, from 0 to 1; null: not known
  outcome TEXT CHECK (outcome IN ('published', 'failed', 'released')), -- null: it stands, or was lost
  message TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX native_runs_by_start ON native_runs (started_at);

CREATE TABLE native_partitions (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  reason TEXT NOT NULL,
  since TEXT NOT NULL,
  PRIMARY KEY (domain, partition_date)
) STRICT, WITHOUT ROWID;
