-- What the platform says of itself: releases it has announced, alerts that are open, and the events of both kinds of change.

-- The release of each topic that was announced in the topic schema_changes: what the next one is compared with.
CREATE TABLE announced_releases (
  topic TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,           -- grows with each announcement; part of the events' ids
  contract_version TEXT NOT NULL,
  digest TEXT NOT NULL,                -- of what is announced: version, fields, schemas
  fields TEXT NOT NULL,                -- JSON: the contract's fields
  schemas TEXT NOT NULL,               -- JSON array of every schema id that was ever announced
  announced_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
