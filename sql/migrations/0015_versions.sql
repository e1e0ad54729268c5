-- Versions in place of snapshots. Each commit to a table, of whatever partition, makes its next version, and writes rows only for the
-- files that it adds and removes: version v of a table is its files with added <= v < removed.

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
  committed_at TEXT NOT NULL,
  PRIMARY KEY (table_name, version)
) STRICT, WITHOUT ROWID;

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
  stats TEXT,                          -- JSON: {"<column>": {min, max, nulls}}; null: not known
  PRIMARY KEY (table_name, partition_date, file, again)
) STRICT, WITHOUT ROWID;

-- The live version of each partition: the one row that a commit turns.
CREATE TABLE published_versions (
  table_name TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  version INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  manifest TEXT,                       -- R2 key of the object that has the partition's files, of which data_files has none; null: it has them
  PRIMARY KEY (table_name, partition_date)
) STRICT, WITHOUT ROWID;

-- Partitions that a rollback holds at an older version, until somebody releases them: no build is queued, and no lease given.
CREATE TABLE pinned_partitions (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  version INTEGER NOT NULL,            -- whose files it shows
  reason TEXT NOT NULL,
  pinned_at TEXT NOT NULL,
  PRIMARY KEY (domain, partition_date)
) STRICT, WITHOUT ROWID;

-- What is published is adopted as it stands, in the order of its commits. The last version has the number that the table had, since
-- pointers in R2 are ordered by it. A file that was registered before others and is not among the inputs had come in behind the build's
-- list: what is seen ends before it.
INSERT INTO versions (table_name, version, partition_date, run_id, fence, kind, rows, rows_added, seen, digest, terms, committed_at)
  WITH live AS (
    SELECT s.*, substr(s.table_name, length('silver_') + 1) AS topic,
      max(coalesce(t.version, 0), count(*) OVER (PARTITION BY s.table_name)) - count(*) OVER (PARTITION BY s.table_name)
        + row_number() OVER (PARTITION BY s.table_name ORDER BY s.committed_at, s.partition_date) AS version,
      (SELECT max(f.registration) FROM json_each(s.inputs) i JOIN bronze_files f ON f.file = i.value ->> 'file') AS newest
    FROM published p JOIN snapshots s USING (snapshot_id) LEFT JOIN table_versions t ON t.table_name = s.table_name)
  SELECT table_name, version, partition_date, run_id, fence, 'adopted', rows, rows,
    iif(newest IS NULL, NULL, coalesce(
      (SELECT min(f.registration) - 1 FROM bronze_file_dates d JOIN bronze_files f USING (file)
       WHERE d.topic = live.topic AND d.partition_date = live.partition_date AND f.registration < newest
         AND f.file NOT IN (SELECT i.value ->> 'file' FROM json_each(live.inputs) i)), newest)),
    input_digest,
    iif(newest IS NULL, NULL, json_object(
      'duplicates', (SELECT json_group_array(json_object('hour', hour, 'events', events)) FROM ledger_duplicates d
                     WHERE d.topic = live.topic AND d.partition_date = live.partition_date),
      'outcomes', (SELECT json_group_array(json_object('hour', hour, 'term', term, 'events', events, 'replayed', replayed)) FROM ledger_outcomes o
                   WHERE o.topic = live.topic AND o.partition_date = live.partition_date))),
    committed_at
  FROM live;

INSERT INTO data_files (table_name, partition_date, file, kind, added, rows, bytes)
  SELECT v.table_name, v.partition_date, f.file, 'data', v.version, f.rows, f.bytes
  FROM versions v JOIN published p USING (table_name, partition_date) JOIN snapshot_files f USING (snapshot_id)
  UNION ALL
  SELECT v.table_name, v.partition_date, q.file, 'quarantine', v.version, q.rows, q.bytes
  FROM versions v JOIN published p USING (table_name, partition_date) JOIN quarantine_files q USING (snapshot_id);

INSERT INTO published_versions (table_name, partition_date, version, rows)
  SELECT table_name, partition_date, version, rows FROM versions;

-- Retention would have let go of the others a day after their commit.
INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
  SELECT file, 'superseded', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+24 hours')
  FROM (SELECT file FROM snapshot_files UNION SELECT file FROM quarantine_files)
  WHERE file NOT IN (SELECT file FROM data_files) ON CONFLICT DO NOTHING;

DROP TABLE snapshot_files;
DROP TABLE quarantine_files;
DROP TABLE published;
DROP TABLE snapshots;
DROP TABLE table_versions;
ALTER TABLE published_versions RENAME TO published;

-- The bronze files of each partition, as flushes wrote them; a file that compaction replaced says where its rows are now.
CREATE VIEW partition_sources AS
  SELECT d.topic AS domain, d.partition_date, d.file, f.registration, d.rows, f.registered_at, f.retired_by,
    f.registration <= v.seen AS built
  FROM bronze_file_dates d JOIN bronze_files f USING (file)
  LEFT JOIN published p ON p.table_name = 'silver_' || d.topic AND p.partition_date = d.partition_date
  LEFT JOIN versions v ON v.table_name = p.table_name AND v.version = p.version
  WHERE f.registration IS NOT NULL;
