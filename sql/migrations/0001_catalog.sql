-- The catalog and the state of Sluice. Times are ISO 8601 UTC texts unless a column says otherwise; dates are YYYY-MM-DD.

-- Who may call. Only hashes of keys are kept.
CREATE TABLE producers (
  producer TEXT PRIMARY KEY,
  created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  key_hash TEXT PRIMARY KEY,           -- SHA-256 of the key, hex
  producer TEXT NOT NULL REFERENCES producers (producer),
  scopes TEXT NOT NULL,                -- JSON array of "<topic or *>:<write|read|admin>"
  created_at TEXT NOT NULL,
  expires_at TEXT,
  revoked_at TEXT
) STRICT, WITHOUT ROWID;

-- The state of a partition. Exactly these columns: operators know them, and UPDATE partition_meta SET status = 'PENDING' must work.
-- domain is a topic (its silver table), a derived silver table or a gold table.
CREATE TABLE partition_meta (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('UNDISCOVERED', 'PENDING', 'IN_FLIGHT', 'DONE', 'FAILED', 'RETRYING', 'DEAD', 'LATE', 'REPROCESSING')),
  run_id TEXT,
  record_count INTEGER NOT NULL DEFAULT 0,   -- input rows
  source_files INTEGER NOT NULL DEFAULT 0,
  file_hash TEXT,                            -- digest of the inputs handed to the last builder
  silver_records INTEGER NOT NULL DEFAULT 0,
  gold_records INTEGER NOT NULL DEFAULT 0,
  retry_count INTEGER NOT NULL DEFAULT 0,
  error_message TEXT,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  processed_at TEXT,
  silver_path TEXT,
  gold_path TEXT,
  PRIMARY KEY (domain, partition_date)
) STRICT, WITHOUT ROWID;

CREATE INDEX partition_meta_active ON partition_meta (status) WHERE status <> 'DONE';

-- How often the inputs of a partition changed, and how much of that its last build saw. version <> built_version is work.
-- Only triggers and commits write here, so nobody can forget to.
CREATE TABLE partition_inputs (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  version INTEGER NOT NULL,
  built_version INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (domain, partition_date)
) STRICT, WITHOUT ROWID;
CREATE INDEX partition_inputs_unbuilt ON partition_inputs (domain, partition_date) WHERE version <> built_version;

-- What partition_meta must not carry: who holds the partition. The fence grows with every lease and never goes back.
CREATE TABLE partition_leases (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  fence INTEGER NOT NULL DEFAULT 0,
  run_id TEXT,
  lease_until INTEGER NOT NULL DEFAULT 0,    -- milliseconds since the epoch, D1's clock
  queued_at INTEGER NOT NULL DEFAULT 0,      -- when a build message was last sent
  not_before INTEGER NOT NULL DEFAULT 0,     -- retry backoff
  failure_class TEXT CHECK (failure_class IN ('data', 'system')),
  failed_version INTEGER,                    -- input version of the failed build: a data failure waits for another
  late INTEGER NOT NULL DEFAULT 0,           -- 1 from LATE until the rebuild is published, failures and retries included
  revisions INTEGER NOT NULL DEFAULT 0,      -- rebuilds after the partition had closed
  PRIMARY KEY (domain, partition_date)
) STRICT, WITHOUT ROWID;

-- Every shard that was ever addressed.
CREATE TABLE shards (
  topic TEXT NOT NULL,
  shard INTEGER NOT NULL,
  shard_of INTEGER NOT NULL,
  first_seen TEXT NOT NULL,
  PRIMARY KEY (topic, shard, shard_of)
) STRICT, WITHOUT ROWID;

CREATE TABLE bronze_files (
  file TEXT PRIMARY KEY,               -- R2 key
  topic TEXT NOT NULL,
  shard INTEGER NOT NULL,
  shard_of INTEGER NOT NULL,
  incarnation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  min_received TEXT NOT NULL,
  max_received TEXT NOT NULL,
  registered_at TEXT NOT NULL,
  retired_by TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX bronze_files_by_topic ON bronze_files (topic, registered_at);

-- Which rows of a file belong to which partition: rows [first_row, first_row + rows).
CREATE TABLE bronze_file_dates (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  file TEXT NOT NULL REFERENCES bronze_files (file),
  first_row INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  PRIMARY KEY (topic, partition_date, file)
) STRICT, WITHOUT ROWID;

-- A file that is registered twice inserts nothing the second time, so the version grows once per file.
CREATE TRIGGER bronze_file_dates_inputs AFTER INSERT ON bronze_file_dates BEGIN
  INSERT INTO partition_inputs (domain, partition_date, version) VALUES (NEW.topic, NEW.partition_date, 1)
    ON CONFLICT DO UPDATE SET version = version + 1;
END;

-- Absolute totals, never increments: a repeated write changes nothing. detail is 'source topic|error type' for dead letters, else ''.
CREATE TABLE ledger (
  topic TEXT NOT NULL,
  shard INTEGER NOT NULL,
  shard_of INTEGER NOT NULL,
  incarnation TEXT NOT NULL,
  hour TEXT NOT NULL,                  -- YYYY-MM-DDTHH:00:00Z, of reception
  detail TEXT NOT NULL,
  events INTEGER NOT NULL,
  PRIMARY KEY (hour, topic, shard, shard_of, incarnation, detail)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_inputs_insert AFTER INSERT ON ledger BEGIN
  INSERT INTO partition_inputs (domain, partition_date, version) VALUES ('silver_ledger', substr(NEW.hour, 1, 10), 1)
    ON CONFLICT DO UPDATE SET version = version + 1;
END;
CREATE TRIGGER ledger_inputs_update AFTER UPDATE ON ledger WHEN NEW.events <> OLD.events BEGIN
  INSERT INTO partition_inputs (domain, partition_date, version) VALUES ('silver_ledger', substr(NEW.hour, 1, 10), 1)
    ON CONFLICT DO UPDATE SET version = version + 1;
END;

-- Copies that silver removed, by the hour of their reception; replaced as a whole by each build of the partition.
CREATE TABLE ledger_duplicates (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  hour TEXT NOT NULL,
  events INTEGER NOT NULL,
  PRIMARY KEY (topic, partition_date, hour)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_duplicates_inputs_insert AFTER INSERT ON ledger_duplicates BEGIN
  INSERT INTO partition_inputs (domain, partition_date, version) VALUES ('silver_ledger', substr(NEW.hour, 1, 10), 1)
    ON CONFLICT DO UPDATE SET version = version + 1;
END;
CREATE TRIGGER ledger_duplicates_inputs_update AFTER UPDATE ON ledger_duplicates WHEN NEW.events <> OLD.events BEGIN
  INSERT INTO partition_inputs (domain, partition_date, version) VALUES ('silver_ledger', substr(NEW.hour, 1, 10), 1)
    ON CONFLICT DO UPDATE SET version = version + 1;
END;

CREATE TABLE snapshots (
  snapshot_id TEXT PRIMARY KEY,
  table_name TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  run_id TEXT NOT NULL,
  fence INTEGER NOT NULL,
  input_digest TEXT NOT NULL,
  inputs TEXT NOT NULL,                -- JSON: [{table, snapshot_id}] or [{file}]
  rows INTEGER NOT NULL,
  committed_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX snapshots_by_partition ON snapshots (table_name, partition_date, committed_at);

CREATE TABLE snapshot_files (
  snapshot_id TEXT NOT NULL REFERENCES snapshots (snapshot_id),
  file TEXT NOT NULL,                  -- R2 key
  rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (snapshot_id, file)
) STRICT, WITHOUT ROWID;

-- The published snapshot of each partition: the one row that a commit turns.
CREATE TABLE published (
  table_name TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  snapshot_id TEXT NOT NULL REFERENCES snapshots (snapshot_id),
  PRIMARY KEY (table_name, partition_date)
) STRICT, WITHOUT ROWID;

-- Grows with every commit to a table; orders the pointer files in R2.
CREATE TABLE table_versions (
  table_name TEXT PRIMARY KEY,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  fence INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('RUNNING', 'DONE', 'FAILED', 'LOST')),
  started_at TEXT NOT NULL,
  finished_at TEXT,
  rows_in INTEGER,
  rows_out INTEGER,
  error_message TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_by_partition ON runs (domain, partition_date, started_at);

CREATE TABLE quality_results (
  run_id TEXT NOT NULL,
  layer TEXT NOT NULL,
  check_name TEXT NOT NULL,
  table_name TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  metric TEXT NOT NULL,
  measured REAL NOT NULL,
  bound TEXT NOT NULL,                 -- JSON of the contract's bound
  passed INTEGER NOT NULL,
  on_fail TEXT NOT NULL,
  failing_rows TEXT,                   -- JSON: up to 20 row numbers of the candidate
  candidate TEXT,                      -- R2 key of the candidate's first file
  checked_at TEXT NOT NULL,
  PRIMARY KEY (run_id, layer, check_name)
) STRICT, WITHOUT ROWID;
