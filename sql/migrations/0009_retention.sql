-- Replays and retention. A replay builds a partition again from inputs that did not change; retention lets bronze go.

-- How many changes of a partition's inputs (partition_inputs.version) were rebuilds of what was there, all in all and of those that
-- the last build saw. Changes beyond them are news: news after closing is late data, a replay is not.
CREATE TABLE partition_replays (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  replays INTEGER NOT NULL,
  built_replays INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (domain, partition_date)
) STRICT, WITHOUT ROWID;

-- Partitions of topics with bronze that is retired and not replaced: they cannot be built again. The published snapshot stays.
CREATE TABLE sealed_partitions (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  sealed_at TEXT NOT NULL,
  PRIMARY KEY (topic, partition_date)
) STRICT, WITHOUT ROWID;

-- Retention asks for all dates of a file.
CREATE INDEX bronze_file_dates_by_file ON bronze_file_dates (file);

-- Retention forgets superseded snapshots by their age.
CREATE INDEX snapshots_by_commit ON snapshots (committed_at);
