-- 1: what is published of the partition was not judged by the checks that wait for its closing. A partition that was published before
-- there were such checks was judged by all of them.
ALTER TABLE partition_leases ADD COLUMN awaits_closing INTEGER NOT NULL DEFAULT 0;
CREATE INDEX partition_leases_awaiting ON partition_leases (partition_date, domain) WHERE awaits_closing = 1;
