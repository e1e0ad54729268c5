-- A generation of a table: all partitions that were built by one meaning of its columns. A deploy that changes the meaning begins
-- another, and the partitions of the one before are built again. Versions from before keep null until the table's first row is written.
ALTER TABLE versions ADD COLUMN generation TEXT; -- that the partition is of as of it; null: not known, which counts as none

CREATE TABLE table_generations (
  table_name TEXT PRIMARY KEY,
  generation TEXT NOT NULL,            -- stays when a column is added that may be null
  content TEXT NOT NULL,               -- digest of all that the deploy says of the table: builds of other deploys are not of the generation
  meaning TEXT NOT NULL,               -- JSON (lakehouse/builds/generations/meaning.ts)
  released_at TEXT NOT NULL,           -- when that deploy was made: an older one changes nothing here
  since TEXT NOT NULL,                 -- when the generation began
  walking INTEGER NOT NULL,            -- 1 until all partitions are of the generation that can be
  shown_version INTEGER,               -- until then readers get the table as of it; null: the newest
  backfill_id TEXT                     -- the last backfill that was filed for it
) STRICT, WITHOUT ROWID;
