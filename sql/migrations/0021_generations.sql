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
  backfill_id TEXT,                    -- the last backfill that was filed for it
  whole_since INTEGER NOT NULL DEFAULT 0 -- of the versions before, some dates may be of an older generation
) STRICT, WITHOUT ROWID;

-- The version at which a closed partition of a model reads a table that it looks things up in: so a build gives the same rows at any time.
CREATE TABLE lookup_pins (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  table_name TEXT NOT NULL,            -- that is read
  version INTEGER NOT NULL,
  PRIMARY KEY (domain, partition_date, table_name)
) STRICT, WITHOUT ROWID;

CREATE INDEX lookup_pins_by_version ON lookup_pins (table_name, version);
