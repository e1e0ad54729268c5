-- The key of every local platform, "local-dev-key"; a deployed Worker refuses it. Also for wrangler dev (README, Deploy).
INSERT INTO producers (producer, created_at)
VALUES ('local', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) ON CONFLICT DO NOTHING;
INSERT INTO api_keys (key_hash, producer, scopes, created_at)
VALUES ('ed5a18fb8f807f996d649e379d3f35f39c543a91bdbf88c492f2ebd10d4df86c', 'local', '["*:write","*:read","*:admin","*:build"]', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) ON CONFLICT DO NOTHING;
