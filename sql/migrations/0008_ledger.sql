-- What the ledger needs to close per hour and partition, and to see what never arrived. Times are ISO 8601 UTC texts.

-- When a total last grew: a total that grew just now may be ahead of bronze. Null: before it was noted.
ALTER TABLE ledger ADD COLUMN published_at TEXT;

-- Rows that flushes wrote, by partition and hour of reception; written with the file's registration and never changed, whatever
-- later becomes of the file.
CREATE TABLE bronze_file_hours (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  hour TEXT NOT NULL,                  -- YYYY-MM-DDTHH:00:00Z, of reception
  file TEXT NOT NULL,
  rows INTEGER NOT NULL,
  registered_at TEXT NOT NULL,         -- '' for files from before hours were counted
  PRIMARY KEY (hour, topic, partition_date, file)
) STRICT, WITHOUT ROWID;

-- Files from before count whole in the hour of their first reception, so their hours are not judged.
INSERT INTO bronze_file_hours (topic, partition_date, hour, file, rows, registered_at)
  SELECT d.topic, d.partition_date, substr(f.min_received, 1, 13) || ':00:00Z', f.file, d.rows, ''
  FROM bronze_file_dates d JOIN bronze_files f USING (file);

CREATE TRIGGER bronze_file_hours_inputs AFTER INSERT ON bronze_file_hours BEGIN
  INSERT INTO partition_inputs (domain, partition_date, version) VALUES ('silver_ledger', substr(NEW.hour, 1, 10), 1)
    ON CONFLICT DO UPDATE SET version = version + 1;
END;

-- Where the bronze rows of a partition went, by hour of reception, as its last build says; copies stand in ledger_duplicates.
CREATE TABLE ledger_outcomes (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  hour TEXT NOT NULL,
  term TEXT NOT NULL CHECK (term IN ('silver', 'superseded', 'quarantined', 'expired')),
  events INTEGER NOT NULL,
  PRIMARY KEY (topic, partition_date, hour, term)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_outcomes_by_hour ON ledger_outcomes (hour);
CREATE INDEX ledger_duplicates_by_hour ON ledger_duplicates (hour);

CREATE TRIGGER ledger_outcomes_inputs_insert AFTER INSERT ON ledger_outcomes BEGIN
  INSERT INTO partition_inputs (domain, partition_date, version) VALUES ('silver_ledger', substr(NEW.hour, 1, 10), 1)
    ON CONFLICT DO UPDATE SET version = version + 1;
END;
CREATE TRIGGER ledger_outcomes_inputs_update AFTER UPDATE ON ledger_outcomes WHEN NEW.events <> OLD.events BEGIN
  INSERT INTO partition_inputs (domain, partition_date, version) VALUES ('silver_ledger', substr(NEW.hour, 1, 10), 1)
    ON CONFLICT DO UPDATE SET version = version + 1;
END;

-- Which of the gateways' numbered messages arrived: a row per shard and hour, not per gateway. A message is noted by the shard
-- of its first slice. instances: JSON {"<gateway instance>": [messages, first number, last number, ranges of numbers not sent]};
-- absolute, never an increment.
CREATE TABLE ledger_arrivals (
  topic TEXT NOT NULL,
  shard INTEGER NOT NULL,
  shard_of INTEGER NOT NULL,
  incarnation TEXT NOT NULL,
  hour TEXT NOT NULL,                  -- in which the gateways made the messages
  messages INTEGER NOT NULL,           -- of all instances
  unnumbered INTEGER NOT NULL,         -- messages without a gateway's running number
  instances TEXT NOT NULL,
  PRIMARY KEY (hour, topic, shard, shard_of, incarnation)
) STRICT, WITHOUT ROWID;

-- What the last comparison found wrong; replaced as a whole by each.
CREATE TABLE ledger_findings (
  kind TEXT NOT NULL CHECK (kind IN ('difference', 'suspected_loss')),
  topic TEXT NOT NULL,
  hour TEXT NOT NULL,
  measured INTEGER NOT NULL,           -- events too many (below zero) or missing; messages missing for a suspected loss
  detail TEXT NOT NULL,
  found_at TEXT NOT NULL,
  PRIMARY KEY (kind, topic, hour)
) STRICT, WITHOUT ROWID;
