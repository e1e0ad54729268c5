-- Seeing and steering builds: partitions and runs in lists, backfills, and what people decided of blocked partitions.

-- Lists show the newest dates first. The columns of the first index never change, so a build writes none of its rows; the second
-- gains the date, so that one state is read in that order, too.
CREATE INDEX partition_meta_by_date ON partition_meta (partition_date DESC, domain);
DROP INDEX partition_meta_active;
CREATE INDEX partition_meta_active ON partition_meta (status, partition_date DESC) WHERE status <> 'DONE';
-- One row more for a build, for the list of runs and of their checks.
CREATE INDEX ended_runs_by_end ON ended_runs (finished_at);

-- record_count was the number of input rows. It is what the last successful build wrote: of silver the records of silver, of
-- gold the records of gold.
UPDATE partition_meta SET record_count = max(silver_records, gold_records) WHERE processed_at IS NOT NULL;

-- A person who deletes a row wants the partition built again: its inputs count as changed, as for a build of the same inputs, and
-- the planner discovers it anew. Its lease with the fence, and what is published of it, stay.
CREATE TRIGGER partition_meta_deleted AFTER DELETE ON partition_meta
WHEN EXISTS (SELECT 1 FROM partition_inputs i WHERE i.domain = OLD.domain AND i.partition_date = OLD.partition_date) BEGIN
  UPDATE partition_inputs SET version = version + 1 WHERE domain = OLD.domain AND partition_date = OLD.partition_date;
  INSERT INTO partition_replays (domain, partition_date, replays) VALUES (OLD.domain, OLD.partition_date, 1)
    ON CONFLICT DO UPDATE SET replays = replays + 1;
END;

-- Only people and backfills set FAILED or DEAD to PENDING; the planner retries by way of RETRYING. What they ask for begins at once
-- and with all its retries: without this it waits for the backoff of the failure, and a DEAD partition dies with the next one.
CREATE TRIGGER partition_meta_asked AFTER UPDATE OF status ON partition_meta
WHEN NEW.status = 'PENDING' AND OLD.status IN ('FAILED', 'DEAD') BEGIN
  UPDATE partition_meta SET retry_count = 0 WHERE domain = NEW.domain AND partition_date = NEW.partition_date;
  UPDATE partition_leases SET not_before = 0, queued_at = 0
    WHERE domain = NEW.domain AND partition_date = NEW.partition_date AND run_id IS NULL;
END;

-- Partitions that somebody had built again, a few at a time.
CREATE TABLE backfills (
  backfill_id TEXT PRIMARY KEY,        -- RFC 9562 version 7: in the order of creation
  domain TEXT NOT NULL,                -- of the table that was named
  layer TEXT NOT NULL CHECK (layer IN ('silver', 'gold')),
  from_date TEXT NOT NULL,
  to_date TEXT NOT NULL,               -- inclusive
  reprocess TEXT NOT NULL CHECK (reprocess IN ('none', 'failed', 'completed')),
  max_active_runs INTEGER NOT NULL,
  created_by TEXT NOT NULL,            -- key id
  created_at TEXT NOT NULL,
  cancelled_at TEXT,                   -- nothing more of it is started
  ended_at TEXT                        -- when nothing of it was open any more
) STRICT, WITHOUT ROWID;
CREATE INDEX backfills_open ON backfills (backfill_id) WHERE ended_at IS NULL;

CREATE TABLE backfill_partitions (
  backfill_id TEXT NOT NULL REFERENCES backfills (backfill_id),
  partition_date TEXT NOT NULL,
  domain TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('WAITING', 'STARTED', 'DONE', 'FAILED', 'CANCELLED')),
  started_at TEXT,
  ended_at TEXT,
  PRIMARY KEY (backfill_id, partition_date, domain)
) STRICT, WITHOUT ROWID;
CREATE INDEX backfill_partitions_open ON backfill_partitions (backfill_id, state, partition_date DESC) WHERE state IN ('WAITING', 'STARTED');

-- Here, so that one statement starts as many as may run and their partitions wait for a build in the same moment. A partition that
-- waits for one already keeps its state: LATE and RETRYING say why.
CREATE TRIGGER backfill_partitions_started AFTER UPDATE OF state ON backfill_partitions
WHEN NEW.state = 'STARTED' AND OLD.state = 'WAITING' BEGIN
  INSERT INTO partition_meta (domain, partition_date, status) VALUES (NEW.domain, NEW.partition_date, 'PENDING')
    ON CONFLICT DO UPDATE SET status = 'PENDING', retry_count = 0, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    WHERE status IN ('UNDISCOVERED', 'DONE', 'FAILED', 'DEAD');
END;

-- What people decided of partitions that a check kept from being published. Kept for good.
CREATE TABLE partition_decisions (
  domain TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  decision_id TEXT NOT NULL,           -- RFC 9562 version 7: in the order of decisions
  action TEXT NOT NULL CHECK (action IN ('accept', 'quarantine', 'discard')),
  reason TEXT NOT NULL,
  decided_by TEXT NOT NULL,            -- key id
  decided_at TEXT NOT NULL,
  run_id TEXT NOT NULL,                -- the run that was held back
  checks TEXT NOT NULL,                -- JSON: [{layer, check_name, measured}], the checks that held it back
  PRIMARY KEY (domain, partition_date, decision_id)
) STRICT, WITHOUT ROWID;
