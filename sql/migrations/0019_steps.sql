-- Builders that vanish: the message that a builder works on, and how often the present step of a partition lost one.
ALTER TABLE partition_leases ADD COLUMN nonce TEXT;                          -- of the message that took the lease; null: an older version's
ALTER TABLE partition_leases ADD COLUMN vanished INTEGER NOT NULL DEFAULT 0; -- builders that the present step lost, at its present size
ALTER TABLE partition_leases ADD COLUMN splits INTEGER NOT NULL DEFAULT 0;   -- how often that step was halved
ALTER TABLE partition_leases ADD COLUMN pieces INTEGER NOT NULL DEFAULT 0;   -- pieces of its present size that are left of it
