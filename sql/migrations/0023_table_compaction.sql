-- Small files of silver and of models that grow become few (lakehouse/upkeep/table-compaction/): a version with the rows of the one
-- before it, in other files.
ALTER TABLE versions ADD COLUMN rows_of INTEGER;   -- the version whose rows these are, in other files; null: they are its own
ALTER TABLE data_files ADD COLUMN holds TEXT;      -- JSON: of which versions its rows are (lakehouse/tables/row-order.ts); null: of `added`
ALTER TABLE ended_runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'build' CHECK (kind IN ('build', 'compaction'));
