-- What buffers say of themselves: with each flush, and by the watchdog that pokes those which say nothing.
ALTER TABLE shards ADD COLUMN listed_at TEXT;            -- when its buffer last asked to be listed; null: before this column
ALTER TABLE shards ADD COLUMN last_flush_at TEXT;
ALTER TABLE shards ADD COLUMN oldest_unflushed TEXT;     -- when the oldest block that waits was appended; null: none did
ALTER TABLE shards ADD COLUMN buffered_rows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shards ADD COLUMN buffered_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shards ADD COLUMN retired_at TEXT;           -- no message can come any more: not walked

-- Topics whose buffers are far behind: the gateway answers 503 until then.
CREATE TABLE back_pressure (
  topic TEXT PRIMARY KEY,
  until TEXT NOT NULL,
  reason TEXT NOT NULL,
  written_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Slices that a flush could not write, whole in R2 under their key: appended = buffered + bronze + these.
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
