-- Compaction: many small bronze files of one shard and hour become one. The small files stay registered (a partition's inputs are
-- every file ever registered for it) and say in retired_by which file holds their rows now.

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
) STRICT, WITHOUT ROWID;
CREATE INDEX compactions_pending ON compactions (queued_at) WHERE status = 'PENDING';

CREATE INDEX bronze_files_live ON bronze_files (registered_at) WHERE retired_by IS NULL;

-- A compacted file brings no rows that its partition did not have: it is no new input.
DROP TRIGGER bronze_file_dates_inputs;
CREATE TRIGGER bronze_file_dates_inputs AFTER INSERT ON bronze_file_dates
WHEN NOT EXISTS (SELECT 1 FROM compactions WHERE file = NEW.file) BEGIN
  INSERT INTO partition_inputs (domain, partition_date, version) VALUES (NEW.topic, NEW.partition_date, 1)
    ON CONFLICT DO UPDATE SET version = version + 1;
END;

-- Objects of R2 that nothing refers to any more. They are deleted later: a build that had listed them may still read them.
CREATE TABLE tombstones (
  object TEXT PRIMARY KEY,             -- R2 key
  reason TEXT NOT NULL,
  tombstoned_at TEXT NOT NULL,
  delete_after TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_due ON tombstones (delete_after);
