-- Bronze of closed dates leaves D1: once nothing of a date came for days, its rows of bronze_files, bronze_file_dates and compactions
-- stand in an object of R2, its manifest. What comes later stands in D1 beside it, until it is folded, too.
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

-- By topic, for the pointer of its bronze. What is live and in D1 is a few days old, so who wants it of all topics reads little more.
DROP INDEX bronze_files_live;
CREATE INDEX bronze_files_live ON bronze_files (topic, registered_at) WHERE retired_by IS NULL;
