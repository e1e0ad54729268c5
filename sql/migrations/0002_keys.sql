-- Keys with a public id, so that they can be listed, rotated and revoked without their hash.
ALTER TABLE api_keys ADD COLUMN key_id TEXT;                                        -- "key_" and twelve hex digits of the hash
ALTER TABLE api_keys ADD COLUMN kind TEXT NOT NULL DEFAULT 'secret' CHECK (kind IN ('secret', 'publishable'));
ALTER TABLE api_keys ADD COLUMN origins TEXT NOT NULL DEFAULT '[]';                 -- JSON array of web origins; publishable keys only
ALTER TABLE api_keys ADD COLUMN events_per_minute INTEGER CHECK (events_per_minute > 0); -- null: no limit of its own
ALTER TABLE api_keys ADD COLUMN rotated_from TEXT;                                  -- key_id of the key that this one replaces

UPDATE api_keys SET key_id = 'key_' || substr(key_hash, 1, 12);
CREATE UNIQUE INDEX api_keys_id ON api_keys (key_id);

-- A key that was inserted by hand gets its id too.
CREATE TRIGGER api_keys_identify AFTER INSERT ON api_keys WHEN NEW.key_id IS NULL
BEGIN
  UPDATE api_keys SET key_id = 'key_' || substr(NEW.key_hash, 1, 12) WHERE key_hash = NEW.key_hash;
END;
