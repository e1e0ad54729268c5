-- Preflights carry no key, so anybody may send them: the key of an origin is found by an index, not by reading all keys.
CREATE TABLE key_origins (
  origin TEXT NOT NULL,
  key_hash TEXT NOT NULL,
  PRIMARY KEY (origin, key_hash)
) STRICT, WITHOUT ROWID;

INSERT INTO key_origins (origin, key_hash)
SELECT DISTINCT origin.value, api_keys.key_hash
FROM api_keys, json_each(CASE WHEN json_valid(api_keys.origins) THEN api_keys.origins ELSE '[]' END) AS origin
WHERE origin.type = 'text';

-- By triggers, so that a key that is inserted or changed by hand is found too.
CREATE TRIGGER api_keys_origins AFTER INSERT ON api_keys WHEN NEW.origins <> '[]'
BEGIN
  INSERT OR IGNORE INTO key_origins (origin, key_hash)
  SELECT origin.value, NEW.key_hash
  FROM json_each(CASE WHEN json_valid(NEW.origins) THEN NEW.origins ELSE '[]' END) AS origin WHERE origin.type = 'text';
END;

CREATE TRIGGER api_keys_new_origins AFTER UPDATE OF origins ON api_keys
BEGIN
  DELETE FROM key_origins WHERE key_hash = OLD.key_hash;
  INSERT OR IGNORE INTO key_origins (origin, key_hash)
  SELECT origin.value, NEW.key_hash
  FROM json_each(CASE WHEN json_valid(NEW.origins) THEN NEW.origins ELSE '[]' END) AS origin WHERE origin.type = 'text';
END;

CREATE TRIGGER api_keys_no_origins AFTER DELETE ON api_keys
BEGIN
  DELETE FROM key_origins WHERE key_hash = OLD.key_hash;
END;

-- When a rotation lets the old key end. Apart from expires_at, which the new key takes over: a key that is rotated twice would
-- else pass the end of its overlap on.
ALTER TABLE api_keys ADD COLUMN overlap_ends_at TEXT;
