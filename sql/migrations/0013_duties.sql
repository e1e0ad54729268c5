-- Duties of the cron that left work behind: a row from the tick in which one first did so to the one in which it has none left.
CREATE TABLE duty_backlogs (
  duty TEXT PRIMARY KEY,
  since TEXT NOT NULL,                 -- ISO 8601 UTC
  cursor TEXT                          -- where its next run goes on; null: each run finds by itself what is left
) STRICT, WITHOUT ROWID;
