-- Silver grows: what the builds of a topic's partition know, so that the next one reads what is new and nothing else.
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
