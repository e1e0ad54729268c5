-- Written by `npm run docs` from sql/migrations. Do not edit: a change of the database is a new migration.
-- The text is SQLite's: a column that a later migration added stands where SQLite put it, and is explained there.

CREATE TABLE abandoned_runs (
  run_id TEXT PRIMARY KEY,
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('FAILED', 'LOST')),
  ended_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX abandoned_runs_by_end ON abandoned_runs (ended_at);

CREATE TABLE alert_events (
  id INTEGER PRIMARY KEY,              -- their order
  event_id TEXT NOT NULL UNIQUE,
  event TEXT NOT NULL,                 -- JSON
  made_at TEXT NOT NULL,
  emitted_at TEXT,                     -- null: not known to be in the topic's queue
  post_state TEXT NOT NULL DEFAULT 'waiting' CHECK (post_state IN ('waiting', 'posted', 'skipped', 'refused', 'expired')),
  post_attempts INTEGER NOT NULL DEFAULT 0,
  post_after INTEGER NOT NULL DEFAULT 0 -- milliseconds since the epoch
) STRICT;

CREATE INDEX alert_events_to_emit ON alert_events (id) WHERE emitted_at IS NULL;

CREATE INDEX alert_events_to_post ON alert_events (id) WHERE post_state = 'waiting';

CREATE TABLE alerts (
  alert_key TEXT PRIMARY KEY,
  source TEXT NOT NULL,                -- who finds the condition: if it fails, the alert stays as it is
  since TEXT NOT NULL,                 -- with the key, names this time that it fires
  announced INTEGER NOT NULL,          -- how many events say that it fires
  last_announced TEXT NOT NULL,
  condition TEXT NOT NULL              -- JSON, as it was found last
) STRICT, WITHOUT ROWID;

CREATE TABLE announced_releases (
  topic TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,           -- grows with each announcement; part of the events' ids
  contract_version TEXT NOT NULL,
  digest TEXT NOT NULL,                -- of what is announced: version, fields, schemas
  fields TEXT NOT NULL,                -- JSON: the contract's fields
  schemas TEXT NOT NULL,               -- JSON array of every schema id that was ever announced
  announced_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  key_hash TEXT PRIMARY KEY,           -- SHA-256 of the key, hex
  producer TEXT NOT NULL REFERENCES producers (producer),
  scopes TEXT NOT NULL,                -- JSON array of "<topic or *>:<write|read|admin>"
  created_at TEXT NOT NULL,
  expires_at TEXT,
  revoked_at TEXT
, key_id TEXT, kind TEXT NOT NULL DEFAULT 'secret' CHECK (kind IN ('secret', 'publishable')), origins TEXT NOT NULL DEFAULT '[]', events_per_minute INTEGER CHECK (events_per_minute > 0), rotated_from TEXT, overlap_ends_at TEXT) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX api_keys_id ON api_keys (key_id);

CREATE TRIGGER api_keys_identify AFTER INSERT ON api_keys WHEN NEW.key_id IS NULL
BEGIN
  UPDATE api_keys SET key_id = 'key_' || substr(NEW.key_hash, 1, 12) WHERE key_hash = NEW.key_hash;
END;

CREATE TRIGGER api_keys_new_origins AFTER UPDATE OF origins ON api_keys
BEGIN
  DELETE FROM key_origins WHERE key_hash = OLD.key_hash;
  INSERT OR IGNORE INTO key_origins (origin, key_hash)
  SELECT origin.value, NEW.key_hash
  FROM json_each(CASE WHEN json_valid(NEW.origins) THEN NEW.origins ELSE '[]' END) AS origin WHERE origin.type = 'text';
END;

CREATE TRIGGER api_keys_no_origins AFTER DELETE ON api_keys
BEGIN
  DELETE FROM key_origins WHERE key_hash = OLD.key_hash;
END;

CREATE TRIGGER api_keys_origins AFTER INSERT ON api_keys WHEN NEW.origins <> '[]'
BEGIN
  INSERT OR IGNORE INTO key_origins (origin, key_hash)
  SELECT origin.value, NEW.key_hash
  FROM json_each(CASE WHEN json_valid(NEW.origins) THEN NEW.origins ELSE '[]' END) AS origin WHERE origin.type = 'text';
END;

CREATE TABLE back_pressure (
  topic TEXT PRIMARY KEY,
  until TEXT NOT NULL,
  reason TEXT NOT NULL,
  written_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE backfill_partitions (
  backfill_id TEXT NOT NULL REFERENCES backfills (backfill_id),
  partition_date TEXT NOT NULL,
  domain TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('WAITING', 'STARTED', 'DONE', 'FAILED', 'CANCELLED')),
  started_at TEXT,
  ended_at TEXT,
  PRIMARY KEY (backfill_id, partition_date, domain)
) STRICT, WITHOUT ROWID;

CREATE INDEX backfill_partitions_open ON backfill_partitions (backfill_id, state, partition_date DESC) WHERE state IN ('WAITING', 'STARTED');

CREATE TRIGGER backfill_partitions_started AFTER UPDATE OF state ON backfill_partitions
WHEN NEW.state = 'STARTED' AND OLD.state = 'WAITING' BEGIN
  INSERT INTO partition_meta (domain, partition_date, status) VALUES (NEW.domain, NEW.partition_date, 'PENDING')
    ON CONFLICT DO UPDATE SET status = 'PENDING', retry_count = 0, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    WHERE status IN ('UNDISCOVERED', 'DONE', 'FAILED', 'DEAD');
END;

CREATE TABLE backfills (
  backfill_id TEXT PRIMARY KEY,        -- RFC 9562 version 7: in the order of creation
  domain TEXT NOT NULL,                -- of the table that was named
  layer TEXT NOT NULL CHECK (layer IN ('silver', 'gold')),
  from_date TEXT NOT NULL,
  to_date TEXT NOT NULL,               -- inclusive
  reprocess TEXT NOT NULL CHECK (reprocess IN ('none', 'failed', 'completed')),
  max_active_runs INTEGER NOT NULL,
  created_by TEXT NOT NULL,            -- key id
  created_at TEXT NOT NULL,
  cancelled_at TEXT,                   -- nothing more of it is started
  ended_at TEXT                        -- when nothing of it was open any more
) STRICT, WITHOUT ROWID;

CREATE INDEX backfills_open ON backfills (backfill_id) WHERE ended_at IS NULL;

CREATE TABLE "bronze_file_dates" (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  file TEXT NOT NULL REFERENCES bronze_files (file),
  first_row INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  registration INTEGER NOT NULL DEFAULT 0, -- of the flush; 0: a compacted file
  PRIMARY KEY (topic, partition_date, registration, file)
) STRICT, WITHOUT ROWID;

CREATE INDEX bronze_file_dates_by_file ON bronze_file_dates (file);

CREATE TRIGGER bronze_file_dates_inputs AFTER INSERT ON bronze_file_dates
WHEN NOT EXISTS (SELECT 1 FROM compactions WHERE file = NEW.file) BEGIN
  INSERT INTO input_changes VALUES (NEW.topic, NEW.partition_date);
END;

CREATE TRIGGER bronze_file_dates_numbered AFTER INSERT ON bronze_file_dates
WHEN NEW.registration = 0 AND (SELECT f.registration FROM bronze_files f WHERE f.file = NEW.file) > 0 BEGIN
  DELETE FROM bronze_file_dates
    WHERE topic = NEW.topic AND partition_date = NEW.partition_date AND registration = 0 AND file = NEW.file
      AND EXISTS (SELECT 1 FROM bronze_file_dates d WHERE d.file = NEW.file AND d.topic = NEW.topic
                  AND d.partition_date = NEW.partition_date AND d.registration > 0);
  UPDATE bronze_file_dates SET registration = (SELECT f.registration FROM bronze_files f WHERE f.file = NEW.file)
    WHERE topic = NEW.topic AND partition_date = NEW.partition_date AND registration = 0 AND file = NEW.file;
END;

CREATE TABLE bronze_file_hours (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  hour TEXT NOT NULL,                  -- YYYY-MM-DDTHH:00:00Z, of reception
  file TEXT NOT NULL,
  rows INTEGER NOT NULL,
  registered_at TEXT NOT NULL,         -- '' for files from before hours were counted
  PRIMARY KEY (hour, topic, partition_date, file)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER bronze_file_hours_inputs AFTER INSERT ON bronze_file_hours BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;

CREATE TRIGGER bronze_file_hours_inputs_update AFTER UPDATE OF rows ON bronze_file_hours WHEN NEW.file = '' AND NEW.rows <> OLD.rows BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;

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
, registration INTEGER) STRICT, WITHOUT ROWID;

CREATE INDEX bronze_files_by_topic ON bronze_files (topic, registered_at);

CREATE INDEX bronze_files_live ON bronze_files (topic, registered_at) WHERE retired_by IS NULL;

CREATE TRIGGER bronze_files_numbered AFTER INSERT ON bronze_files
WHEN NEW.registration IS NULL AND NOT EXISTS (SELECT 1 FROM compactions WHERE file = NEW.file) BEGIN
  INSERT INTO shards (topic, shard, shard_of, first_seen) VALUES (NEW.topic, NEW.shard, NEW.shard_of, NEW.registered_at)
    ON CONFLICT DO NOTHING;
  UPDATE shards SET registration = (SELECT max(s.registration) + 1 FROM shards s WHERE s.topic = NEW.topic),
    registered = json_set(registered, '$."' || NEW.incarnation || '"',
      max(NEW.seq, coalesce(registered ->> ('$."' || NEW.incarnation || '"'), NEW.seq)))
    WHERE topic = NEW.topic AND shard = NEW.shard AND shard_of = NEW.shard_of;
  UPDATE bronze_files SET registration = (SELECT s.registration FROM shards s
      WHERE s.topic = NEW.topic AND s.shard = NEW.shard AND s.shard_of = NEW.shard_of)
    WHERE file = NEW.file;
END;

CREATE TABLE bronze_manifests (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  manifest TEXT NOT NULL,              -- R2 key; the object never changes
  through INTEGER NOT NULL,            -- the highest registration in it: what has a higher one stands in D1
  inputs INTEGER NOT NULL,             -- files that flushes wrote
  rows INTEGER NOT NULL,               -- of this date
  live_files INTEGER NOT NULL,         -- that are not retired, and this date's rows in them
  live_rows INTEGER NOT NULL,
  min_received TEXT NOT NULL,          -- of all events of its files, those of other dates included
  max_received TEXT NOT NULL,
  min_registered TEXT NOT NULL,
  max_registered TEXT NOT NULL,
  fold TEXT NOT NULL,                  -- names the run that wrote it: what it did with D1's rows is guarded by it
  PRIMARY KEY (topic, partition_date)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE compactions (
  file TEXT PRIMARY KEY,               -- R2 key of the compacted file, made of its inputs' names
  topic TEXT NOT NULL,
  inputs TEXT NOT NULL,                -- JSON array of R2 keys, ascending: the order of their rows
  -- DROPPED: an input was retired by something else meanwhile
  status TEXT NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'DONE', 'DROPPED')),
  planned_at TEXT NOT NULL,
  queued_at INTEGER NOT NULL,          -- milliseconds since the epoch
  attempts INTEGER NOT NULL DEFAULT 1, -- messages sent for it
  error_message TEXT
, first_registration INTEGER) STRICT, WITHOUT ROWID;

CREATE INDEX compactions_pending ON compactions (queued_at) WHERE status = 'PENDING';

CREATE TABLE data_files (
  table_name TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  file TEXT NOT NULL,                  -- R2 key
  again INTEGER NOT NULL DEFAULT 0,    -- the version of the rollback that brought the file back; 0: its first time
  -- quarantine: rows that checks keep out of the table; keys: hashes of the keys of its rows; partial: what a model goes on from
  kind TEXT NOT NULL CHECK (kind IN ('data', 'quarantine', 'keys', 'partial')),
  added INTEGER,                       -- null: of a candidate that is not published
  removed INTEGER,
  candidate TEXT,                      -- the build whose candidate it came with
  rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  stats TEXT, holds TEXT,                          -- JSON: {"<column>": {min, max, nulls}}; null: not known
  PRIMARY KEY (table_name, partition_date, file, again)
) STRICT, WITHOUT ROWID;

CREATE TABLE duty_backlogs (
  duty TEXT PRIMARY KEY,
  since TEXT NOT NULL,                 -- ISO 8601 UTC
  cursor TEXT                          -- where its next run goes on; null: each run finds by itself what is left
) STRICT, WITHOUT ROWID;

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
  checks TEXT, kind TEXT NOT NULL DEFAULT 'build' CHECK (kind IN ('build', 'compaction')),                         -- JSON: {table_name, checked_at, results: [{layer, check_name, metric, ...}]}; null: nothing was checked
  PRIMARY KEY (domain, partition_date, run_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX ended_runs_by_end ON ended_runs (finished_at);

CREATE TRIGGER ended_runs_abandoned AFTER INSERT ON ended_runs WHEN NEW.status IN ('FAILED', 'LOST') BEGIN
  INSERT INTO abandoned_runs (run_id, domain, partition_date, status, ended_at)
    VALUES (NEW.run_id, NEW.domain, NEW.partition_date, NEW.status, NEW.finished_at) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER ended_runs_totals AFTER INSERT ON ended_runs BEGIN
  INSERT INTO run_totals (domain, status, runs, seconds, le_1, le_5, le_15, le_60, le_300, le_900)
    SELECT NEW.domain, NEW.status, 1, took, took <= 1, took <= 5, took <= 15, took <= 60, took <= 300, took <= 900
    FROM (SELECT max(0.0, (julianday(NEW.finished_at) - julianday(NEW.started_at)) * 86400) AS took) WHERE true
    ON CONFLICT DO UPDATE SET runs = runs + 1, seconds = seconds + excluded.seconds, le_1 = le_1 + excluded.le_1, le_5 = le_5 + excluded.le_5,
      le_15 = le_15 + excluded.le_15, le_60 = le_60 + excluded.le_60, le_300 = le_300 + excluded.le_300, le_900 = le_900 + excluded.le_900;
END;

CREATE TABLE key_origins (
  origin TEXT NOT NULL,
  key_hash TEXT NOT NULL,
  PRIMARY KEY (origin, key_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
  topic TEXT NOT NULL,
  shard INTEGER NOT NULL,
  shard_of INTEGER NOT NULL,
  incarnation TEXT NOT NULL,
  hour TEXT NOT NULL,                  -- YYYY-MM-DDTHH:00:00Z, of reception
  detail TEXT NOT NULL,
  events INTEGER NOT NULL, published_at TEXT,
  PRIMARY KEY (hour, topic, shard, shard_of, incarnation, detail)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_inputs_insert AFTER INSERT ON ledger BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;

CREATE TRIGGER ledger_inputs_update AFTER UPDATE ON ledger WHEN NEW.events <> OLD.events BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;

CREATE TABLE ledger_arrivals (
  topic TEXT NOT NULL,
  shard INTEGER NOT NULL,
  shard_of INTEGER NOT NULL,
  incarnation TEXT NOT NULL,
  hour TEXT NOT NULL,                  -- in which the gateways made the messages
  messages INTEGER NOT NULL,           -- of all instances
  unnumbered INTEGER NOT NULL,         -- messages without a gateway's running number
  instances TEXT NOT NULL,
  PRIMARY KEY (hour, topic, shard, shard_of, incarnation)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_duplicates (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  hour TEXT NOT NULL,
  events INTEGER NOT NULL,
  PRIMARY KEY (topic, partition_date, hour)
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_duplicates_by_hour ON ledger_duplicates (hour);

CREATE TRIGGER ledger_duplicates_inputs_insert AFTER INSERT ON ledger_duplicates BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;

CREATE TRIGGER ledger_duplicates_inputs_update AFTER UPDATE ON ledger_duplicates WHEN NEW.events <> OLD.events BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;

CREATE TABLE ledger_findings (
  kind TEXT NOT NULL CHECK (kind IN ('difference', 'suspected_loss', 'incomplete')),
  topic TEXT NOT NULL,
  hour TEXT NOT NULL,                  -- of an incomplete day: its first
  measured INTEGER NOT NULL,           -- events too many (below zero) or missing; messages missing for a suspected loss
  detail TEXT NOT NULL,
  found_at TEXT NOT NULL,
  PRIMARY KEY (kind, topic, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_outcomes (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  hour TEXT NOT NULL,
  term TEXT NOT NULL CHECK (term IN ('silver', 'superseded', 'quarantined', 'expired')),
  events INTEGER NOT NULL, replayed INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, partition_date, hour, term)
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_outcomes_by_hour ON ledger_outcomes (hour);

CREATE TRIGGER ledger_outcomes_inputs_insert AFTER INSERT ON ledger_outcomes BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;

CREATE TRIGGER ledger_outcomes_inputs_update AFTER UPDATE ON ledger_outcomes WHEN NEW.events <> OLD.events BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;

CREATE TABLE lookup_pins (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  table_name TEXT NOT NULL,            -- that is read
  version INTEGER NOT NULL,
  PRIMARY KEY (domain, partition_date, table_name)
) STRICT, WITHOUT ROWID;

CREATE INDEX lookup_pins_by_version ON lookup_pins (table_name, version);

CREATE TABLE native_partitions (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  reason TEXT NOT NULL,
  since TEXT NOT NULL,
  PRIMARY KEY (domain, partition_date)
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

CREATE TABLE parked_slices (
  key TEXT PRIMARY KEY,
  topic TEXT NOT NULL,
  shard INTEGER NOT NULL,
  shard_of INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  hour TEXT NOT NULL,                  -- YYYY-MM-DDTHH:00:00Z, of reception, as in the ledger
  events INTEGER NOT NULL,             -- as the slice says, and as they were counted when they were appended
  bytes INTEGER NOT NULL,
  cause TEXT NOT NULL CHECK (cause IN ('data', 'system')),
  detail TEXT NOT NULL,
  parked_at TEXT NOT NULL,
  redriven_at TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX parked_slices_waiting ON parked_slices (topic, parked_at) WHERE redriven_at IS NULL;

CREATE TABLE partition_decisions (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  decision_id TEXT NOT NULL,           -- RFC 9562 version 7: in the order of decisions
  action TEXT NOT NULL CHECK (action IN ('accept', 'quarantine', 'discard')),
  reason TEXT NOT NULL,
  decided_by TEXT NOT NULL,            -- key id
  decided_at TEXT NOT NULL,
  run_id TEXT NOT NULL,                -- the run that was held back
  checks TEXT NOT NULL,                -- JSON: [{layer, check_name, measured}], the checks that held it back
  PRIMARY KEY (domain, partition_date, decision_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE partition_inputs (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  version INTEGER NOT NULL,
  built_version INTEGER NOT NULL DEFAULT 0, changed_at INTEGER NOT NULL DEFAULT 0, unseen_after INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (domain, partition_date)
) STRICT, WITHOUT ROWID;

CREATE INDEX partition_inputs_unbuilt ON partition_inputs (domain, partition_date) WHERE version <> built_version;

CREATE TRIGGER partition_inputs_changed AFTER UPDATE OF version ON partition_inputs
WHEN NEW.changed_at = OLD.changed_at AND NEW.version <> NEW.built_version AND (OLD.version = OLD.built_version
  OR OLD.version = (SELECT l.failed_version FROM partition_leases l WHERE l.domain = NEW.domain AND l.partition_date = NEW.partition_date)) BEGIN
  UPDATE partition_inputs SET changed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER),
    unseen_after = coalesce((SELECT max(registration) FROM shards WHERE topic = NEW.domain), 0)
    WHERE domain = NEW.domain AND partition_date = NEW.partition_date;
END;

CREATE TRIGGER partition_inputs_first AFTER INSERT ON partition_inputs BEGIN
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
  revisions INTEGER NOT NULL DEFAULT 0, started_at TEXT, nonce TEXT, vanished INTEGER NOT NULL DEFAULT 0, splits INTEGER NOT NULL DEFAULT 0, pieces INTEGER NOT NULL DEFAULT 0, awaits_closing INTEGER NOT NULL DEFAULT 0,      -- rebuilds after the partition had closed
  PRIMARY KEY (domain, partition_date)
) STRICT, WITHOUT ROWID;

CREATE INDEX partition_leases_awaiting ON partition_leases (partition_date, domain) WHERE awaits_closing = 1;

CREATE INDEX partition_leases_revised ON partition_leases (partition_date) WHERE revisions > 0;

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

CREATE INDEX partition_meta_active ON partition_meta (status, partition_date DESC) WHERE status <> 'DONE';

CREATE INDEX partition_meta_by_date ON partition_meta (partition_date DESC, domain);

CREATE TRIGGER partition_meta_asked AFTER UPDATE OF status ON partition_meta
WHEN NEW.status = 'PENDING' AND OLD.status IN ('FAILED', 'DEAD') BEGIN
  UPDATE partition_meta SET retry_count = 0 WHERE domain = NEW.domain AND partition_date = NEW.partition_date;
  UPDATE partition_leases SET not_before = 0, queued_at = 0
    WHERE domain = NEW.domain AND partition_date = NEW.partition_date AND run_id IS NULL;
END;

CREATE TRIGGER partition_meta_deleted AFTER DELETE ON partition_meta
WHEN EXISTS (SELECT 1 FROM partition_inputs i WHERE i.domain = OLD.domain AND i.partition_date = OLD.partition_date) BEGIN
  UPDATE partition_inputs SET version = version + 1 WHERE domain = OLD.domain AND partition_date = OLD.partition_date;
  INSERT INTO partition_replays (domain, partition_date, replays) VALUES (OLD.domain, OLD.partition_date, 1)
    ON CONFLICT DO UPDATE SET replays = replays + 1;
END;

CREATE TABLE partition_replays (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  replays INTEGER NOT NULL,
  built_replays INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (domain, partition_date)
) STRICT, WITHOUT ROWID;

CREATE TABLE pinned_partitions (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  version INTEGER NOT NULL,            -- whose files it shows
  reason TEXT NOT NULL,
  pinned_at TEXT NOT NULL,
  PRIMARY KEY (domain, partition_date)
) STRICT, WITHOUT ROWID;

CREATE TABLE producers (
  producer TEXT PRIMARY KEY,
  created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE "published" (
  table_name TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  version INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  manifest TEXT,                       -- R2 key of the object that has the partition's files, of which data_files has none; null: it has them
  PRIMARY KEY (table_name, partition_date)
) STRICT, WITHOUT ROWID;

CREATE TABLE "quality_results" (
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

CREATE TABLE run_totals (
  domain TEXT NOT NULL,
  status TEXT NOT NULL,
  runs INTEGER NOT NULL,
  seconds REAL NOT NULL,
  le_1 INTEGER NOT NULL,
  le_5 INTEGER NOT NULL,
  le_15 INTEGER NOT NULL,
  le_60 INTEGER NOT NULL,
  le_300 INTEGER NOT NULL,
  le_900 INTEGER NOT NULL,
  PRIMARY KEY (domain, status)
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

CREATE TRIGGER runs_abandoned AFTER UPDATE OF status ON runs WHEN NEW.status IN ('FAILED', 'LOST') AND OLD.status = 'RUNNING' BEGIN
  INSERT INTO abandoned_runs (run_id, domain, partition_date, status, ended_at)
    VALUES (NEW.run_id, NEW.domain, NEW.partition_date, NEW.status, coalesce(NEW.finished_at, NEW.started_at)) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER runs_totals AFTER UPDATE OF status ON runs WHEN OLD.status = 'RUNNING' AND NEW.status <> 'RUNNING' BEGIN
  INSERT INTO run_totals (domain, status, runs, seconds, le_1, le_5, le_15, le_60, le_300, le_900)
    SELECT NEW.domain, NEW.status, 1, took, took <= 1, took <= 5, took <= 15, took <= 60, took <= 300, took <= 900
    FROM (SELECT max(0.0, (julianday(coalesce(NEW.finished_at, NEW.started_at)) - julianday(NEW.started_at)) * 86400) AS took) WHERE true
    ON CONFLICT DO UPDATE SET runs = runs + 1, seconds = seconds + excluded.seconds, le_1 = le_1 + excluded.le_1, le_5 = le_5 + excluded.le_5,
      le_15 = le_15 + excluded.le_15, le_60 = le_60 + excluded.le_60, le_300 = le_300 + excluded.le_300, le_900 = le_900 + excluded.le_900;
END;

CREATE TABLE sealed_partitions (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  sealed_at TEXT NOT NULL,
  PRIMARY KEY (topic, partition_date)
) STRICT, WITHOUT ROWID;

CREATE TABLE shards (
  topic TEXT NOT NULL,
  shard INTEGER NOT NULL,
  shard_of INTEGER NOT NULL,
  first_seen TEXT NOT NULL, listed_at TEXT, last_flush_at TEXT, oldest_unflushed TEXT, buffered_rows INTEGER NOT NULL DEFAULT 0, buffered_bytes INTEGER NOT NULL DEFAULT 0, retired_at TEXT, registration INTEGER NOT NULL DEFAULT 0, registered TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (topic, shard, shard_of)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER shards_stay BEFORE DELETE ON shards WHEN OLD.registration > 0 BEGIN
  SELECT RAISE(ABORT, 'rows of shards keep the numbers of their topic''s flushes and are never deleted: set retired_at instead');
END;

CREATE TABLE silver_progress (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  -- published: what the published version goes on from; candidate: what a build has done so far that no gate has let through
  line TEXT NOT NULL CHECK (line IN ('published', 'candidate')),
  build_id TEXT NOT NULL,              -- the run that published it; of a candidate: the run of its first step
  run_id TEXT NOT NULL,                -- the run that wrote it
  steps INTEGER NOT NULL,              -- how many steps there were
  basis TEXT NOT NULL CHECK (basis IN ('published', 'empty')), -- what the build began with: a version, or nothing
  blocked INTEGER NOT NULL DEFAULT 0,  -- 1: a candidate with all that there was, which its gate held back
  progress TEXT NOT NULL,              -- JSON (lakehouse/builds/silver/progress.ts)
  updated_at TEXT NOT NULL,
  PRIMARY KEY (topic, partition_date, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE table_generations (
  table_name TEXT PRIMARY KEY,
  generation TEXT NOT NULL,            -- stays when a column is added that may be null
  content TEXT NOT NULL,               -- digest of all that the deploy says of the table: builds of other deploys are not of the generation
  meaning TEXT NOT NULL,               -- JSON (lakehouse/builds/generations/meaning.ts)
  released_at TEXT NOT NULL,           -- when that deploy was made: an older one changes nothing here
  since TEXT NOT NULL,                 -- when the generation began
  walking INTEGER NOT NULL,            -- 1 until all partitions are of the generation that can be
  shown_version INTEGER,               -- until then readers get the table as of it; null: the newest
  backfill_id TEXT,                    -- the last backfill that was filed for it
  whole_since INTEGER NOT NULL DEFAULT 0 -- of the versions before, some dates may be of an older generation
) STRICT, WITHOUT ROWID;

CREATE TABLE tombstones (
  object TEXT PRIMARY KEY,             -- R2 key
  reason TEXT NOT NULL,
  tombstoned_at TEXT NOT NULL,
  delete_after TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX tombstones_due ON tombstones (delete_after);

CREATE TABLE unknown_fields (
  topic TEXT NOT NULL,
  pointer TEXT NOT NULL,               -- JSON pointer, * for the items of an array
  first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL,             -- YYYY-MM-DD: written once a day
  announced_at TEXT,
  PRIMARY KEY (topic, pointer)
) STRICT, WITHOUT ROWID;

CREATE INDEX unknown_fields_unannounced ON unknown_fields (topic) WHERE announced_at IS NULL;

CREATE TABLE versions (
  table_name TEXT NOT NULL,
  version INTEGER NOT NULL,
  partition_date TEXT NOT NULL,        -- the partition that it changed
  run_id TEXT NOT NULL,
  fence INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('commit', 'rollback', 'adopted')), -- adopted: published before there were versions
  rows INTEGER NOT NULL,               -- of the partition after it
  rows_added INTEGER NOT NULL,
  seen INTEGER,                        -- the highest registration among its bronze files; null for tables that are derived
  complete_through TEXT,               -- every event that a buffer took in before this time is in it; null: not known
  digest TEXT NOT NULL,                -- of the names of all that it was built from, each chained to the one before
  terms TEXT,                          -- JSON: what the ledger says of the partition as of it; null for tables that are derived
  thinned INTEGER NOT NULL DEFAULT 0,  -- 1: the table cannot be read as of it any more, for other partitions' versions are gone
  committed_at TEXT NOT NULL, generation TEXT, rows_of INTEGER,
  PRIMARY KEY (table_name, version)
) STRICT, WITHOUT ROWID;

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

CREATE VIEW input_changes AS SELECT domain, partition_date FROM partition_inputs;

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

CREATE VIEW partition_sources AS
  SELECT d.topic AS domain, d.partition_date, d.file, f.registration, d.rows, f.registered_at, f.retired_by,
    f.registration <= v.seen AS built
  FROM bronze_file_dates d JOIN bronze_files f USING (file)
  LEFT JOIN published p ON p.table_name = 'silver_' || d.topic AND p.partition_date = d.partition_date
  LEFT JOIN versions v ON v.table_name = p.table_name AND v.version = p.version
  WHERE f.registration IS NOT NULL;

CREATE VIEW run_history AS
  SELECT run_id, domain, partition_date, fence, status, started_at, finished_at, rows_in, rows_out, error_message FROM ended_runs
  UNION ALL
  SELECT run_id, domain, partition_date, fence, status, started_at, finished_at, rows_in, rows_out, error_message FROM runs WHERE status <> 'RUNNING'
  UNION ALL
  SELECT l.run_id, l.domain, l.partition_date, l.fence, 'RUNNING', coalesce(r.started_at, l.started_at), NULL, NULL, NULL, NULL
  FROM partition_leases l LEFT JOIN runs r ON r.run_id = l.run_id WHERE l.run_id IS NOT NULL;
