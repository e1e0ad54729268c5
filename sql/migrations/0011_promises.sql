-- What the platform promises of completeness, and the fields that events brought and no contract has.

-- Of a term's events, those that were refused at first and that a replay brought in.
ALTER TABLE ledger_outcomes ADD COLUMN replayed INTEGER NOT NULL DEFAULT 0;

-- A finding of another kind. Each comparison replaces all findings, so none is copied.
DROP TABLE ledger_findings;
CREATE TABLE ledger_findings (
  kind TEXT NOT NULL CHECK (kind IN ('difference', 'suspected_loss', 'incomplete')),
  topic TEXT NOT NULL,
  hour TEXT NOT NULL,                  -- of an incomplete day: its first
  measured INTEGER NOT NULL,           -- events too many (below zero) or missing; messages missing for a suspected loss
  detail TEXT NOT NULL,
  found_at TEXT NOT NULL,
  PRIMARY KEY (kind, topic, hour)
) STRICT, WITHOUT ROWID;

-- Fields that events brought and the schemas of their topic do not have, seen by flushes; kept until the topic's next release, or
-- until no event brought them for a month. '/' stands for those of topics with masked fields, whose names nobody may see.
CREATE TABLE unknown_fields (
  topic TEXT NOT NULL,
  pointer TEXT NOT NULL,               -- JSON pointer, * for the items of an array
  first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL,             -- YYYY-MM-DD: written once a day
  announced_at TEXT,
  PRIMARY KEY (topic, pointer)
) STRICT, WITHOUT ROWID;
CREATE INDEX unknown_fields_unannounced ON unknown_fields (topic) WHERE announced_at IS NULL;
