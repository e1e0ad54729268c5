-- Positions: every row of bronze stands behind those that its topic had before. D1 numbers the flushes of a topic as it registers
-- them; the position of a row is (registration of its flush, row in the flush's file), whatever file holds it now.

-- The number of the last flush that was registered for the shard, and by incarnation the last sequence number: {"<incarnation>": seq}.
-- The next number of a topic is one more than the highest of its shards. Rows of closed dates may go from bronze_files; these stay.
ALTER TABLE shards ADD COLUMN registration INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shards ADD COLUMN registered TEXT NOT NULL DEFAULT '{}';

ALTER TABLE bronze_files ADD COLUMN registration INTEGER; -- null: a compacted file, whose rows keep the positions of their flushes

-- What is there is numbered in the order in which it was registered.
UPDATE bronze_files SET registration = n.number
FROM (SELECT file, row_number() OVER (PARTITION BY topic ORDER BY registered_at, file) AS number FROM bronze_files
      WHERE file NOT IN (SELECT file FROM compactions)) AS n
WHERE n.file = bronze_files.file;

INSERT INTO shards (topic, shard, shard_of, first_seen)
  SELECT topic, shard, shard_of, min(registered_at) FROM bronze_files WHERE registration > 0 GROUP BY topic, shard, shard_of
  ON CONFLICT DO NOTHING;
UPDATE shards SET registration = l.registration, registered = l.registered
FROM (SELECT topic, shard, shard_of, max(registration) AS registration, json_group_object(incarnation, seq) AS registered
      FROM (SELECT topic, shard, shard_of, incarnation, max(seq) AS seq, max(registration) AS registration
            FROM bronze_files WHERE registration > 0 GROUP BY topic, shard, shard_of, incarnation)
      GROUP BY topic, shard, shard_of) AS l
WHERE l.topic = shards.topic AND l.shard = shards.shard AND l.shard_of = shards.shard_of;

-- A topic whose rows went would number its flushes from 1 again, before those that its tables have seen.
CREATE TRIGGER shards_stay BEFORE DELETE ON shards WHEN OLD.registration > 0 BEGIN
  SELECT RAISE(ABORT, 'rows of shards keep the numbers of their topic''s flushes and are never deleted: set retired_at instead');
END;

-- By position, so that what a partition has behind a position is read without the rest.
CREATE TABLE bronze_file_dates_next (
  topic TEXT NOT NULL,
  partition_date TEXT NOT NULL,
  file TEXT NOT NULL REFERENCES bronze_files (file),
  first_row INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  registration INTEGER NOT NULL DEFAULT 0, -- of the flush; 0: a compacted file
  PRIMARY KEY (topic, partition_date, registration, file)
) STRICT, WITHOUT ROWID;
INSERT INTO bronze_file_dates_next (topic, partition_date, file, first_row, rows, registration)
  SELECT d.topic, d.partition_date, d.file, d.first_row, d.rows, coalesce(f.registration, 0)
  FROM bronze_file_dates d JOIN bronze_files f USING (file);
DROP TABLE bronze_file_dates;
ALTER TABLE bronze_file_dates_next RENAME TO bronze_file_dates;
CREATE INDEX bronze_file_dates_by_file ON bronze_file_dates (file);
CREATE TRIGGER bronze_file_dates_inputs AFTER INSERT ON bronze_file_dates
WHEN NOT EXISTS (SELECT 1 FROM compactions WHERE file = NEW.file) BEGIN
  INSERT INTO input_changes VALUES (NEW.topic, NEW.partition_date);
END;

-- The lowest registration among the inputs, so that what stands before a position in a compacted file is found. Null where the inputs'
-- order, which is that of their names, is not that of their registrations: a version before this one took several incarnations.
ALTER TABLE compactions ADD COLUMN first_registration INTEGER;
UPDATE compactions SET first_registration = i.first
FROM (SELECT retired_by, min(registration) AS first, sum(by_name <> by_number) AS moved
      FROM (SELECT retired_by, registration, row_number() OVER (PARTITION BY retired_by ORDER BY file) AS by_name,
              row_number() OVER (PARTITION BY retired_by ORDER BY registration) AS by_number
            FROM bronze_files WHERE registration > 0 AND retired_by IS NOT NULL)
      GROUP BY retired_by) AS i
WHERE i.retired_by = compactions.file AND i.moved = 0;

-- The version before this one registers without numbers.
CREATE TRIGGER bronze_files_numbered AFTER INSERT ON bronze_files
WHEN NEW.registration IS NULL AND NOT EXISTS (SELECT 1 FROM compactions WHERE file = NEW.file) BEGIN
  INSERT INTO shards (topic, shard, shard_of, first_seen) VALUES (NEW.topic, NEW.shard, NEW.shard_of, NEW.registered_at)
    ON CONFLICT DO NOTHING;
  UPDATE shards SET registration = (SELECT max(s.registration) + 1 FROM shards s WHERE s.topic = NEW.topic),
    registered = json_set(registered, '$."' || NEW.incarnation || '"',
      max(NEW.seq, coalesce(registered ->> ('$."' || NEW.incarnation || '"'), NEW.seq)))
    WHERE topic = NEW.topic AND shard = NEW.shard AND shard_of = NEW.shard_of;
  UPDATE bronze_files SET registration = (SELECT s.registration FROM shards s
      WHERE s.topic = NEW.topic AND s.shard = NEW.shard AND s.shard_of = NEW.shard_of)
    WHERE file = NEW.file;
END;
CREATE TRIGGER bronze_file_dates_numbered AFTER INSERT ON bronze_file_dates
WHEN NEW.registration = 0 AND (SELECT f.registration FROM bronze_files f WHERE f.file = NEW.file) > 0 BEGIN
  DELETE FROM bronze_file_dates
    WHERE topic = NEW.topic AND partition_date = NEW.partition_date AND registration = 0 AND file = NEW.file
      AND EXISTS (SELECT 1 FROM bronze_file_dates d WHERE d.file = NEW.file AND d.topic = NEW.topic
                  AND d.partition_date = NEW.partition_date AND d.registration > 0);
  UPDATE bronze_file_dates SET registration = (SELECT f.registration FROM bronze_files f WHERE f.file = NEW.file)
    WHERE topic = NEW.topic AND partition_date = NEW.partition_date AND registration = 0 AND file = NEW.file;
END;
