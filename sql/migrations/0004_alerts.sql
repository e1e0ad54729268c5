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

-- Alerts that are open: one row from the moment a condition was found until it was found gone.
CREATE TABLE alerts (
  alert_key TEXT PRIMARY KEY,
  source TEXT NOT NULL,                -- who finds the condition: if it fails, the alert stays as it is
  since TEXT NOT NULL,                 -- with the key, names this time that it fires
  announced INTEGER NOT NULL,          -- how many events say that it fires
  last_announced TEXT NOT NULL,
  condition TEXT NOT NULL              -- JSON, as it was found last
) STRICT, WITHOUT ROWID;

-- The events of the topic pipeline_alerts, written with the change that they tell and sent from here: few, and kept for a week.
CREATE TABLE alert_events (
  id INTEGER PRIMARY KEY,              -- their order
  event_id TEXT NOT NULL UNIQUE,
  event TEXT NOT NULL,                 -- JSON
  made_at TEXT NOT NULL,
  emitted_at TEXT,                     -- null: not known to be in the topic's queue
  post_state TEXT NOT NULL DEFAULT 'waiting' CHECK (post_state IN ('waiting', 'posted', 'skipped', 'refused', 'expired')),
  post_attempts INTEGER NOT NULL DEFAULT 0,
  post_after INTEGER NOT NULL DEFAULT 0 -- milliseconds since the epoch
) STRICT;
CREATE INDEX alert_events_to_emit ON alert_events (id) WHERE emitted_at IS NULL;
CREATE INDEX alert_events_to_post ON alert_events (id) WHERE post_state = 'waiting';

-- The conditions of late data are looked for among these.
CREATE INDEX partition_leases_revised ON partition_leases (partition_date) WHERE revisions > 0;

-- Runs that ended, counted for /metrics, since runs themselves are too many to count at every scrape. le_N: took at most N seconds.
CREATE TABLE run_totals (
  domain TEXT NOT NULL,
  status TEXT NOT NULL,
  runs INTEGER NOT NULL,
  seconds REAL NOT NULL,
  le_1 INTEGER NOT NULL,
  le_5 INTEGER NOT NULL,
  le_15 INTEGER NOT NULL,
  le_60 INTEGER NOT NULL,
  le_300 INTEGER NOT NULL,
  le_900 INTEGER NOT NULL,
  PRIMARY KEY (domain, status)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER runs_totals AFTER UPDATE OF status ON runs WHEN OLD.status = 'RUNNING' AND NEW.status <> 'RUNNING' BEGIN
  INSERT INTO run_totals (domain, status, runs, seconds, le_1, le_5, le_15, le_60, le_300, le_900)
    SELECT NEW.domain, NEW.status, 1, took, took <= 1, took <= 5, took <= 15, took <= 60, took <= 300, took <= 900
    FROM (SELECT max(0.0, (julianday(coalesce(NEW.finished_at, NEW.started_at)) - julianday(NEW.started_at)) * 86400) AS took) WHERE true
    ON CONFLICT DO UPDATE SET runs = runs + 1, seconds = seconds + excluded.seconds, le_1 = le_1 + excluded.le_1, le_5 = le_5 + excluded.le_5,
      le_15 = le_15 + excluded.le_15, le_60 = le_60 + excluded.le_60, le_300 = le_300 + excluded.le_300, le_900 = le_900 + excluded.le_900;
END;
