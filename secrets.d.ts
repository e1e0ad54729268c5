/** Secrets (`wrangler secret put NAME`), which wrangler.toml cannot name; docs/masking.md says what the keys hold, docs/operations.md where alerts go, docs/deploy.md the builder's key. Absent in local runs. */
interface Env {
  readonly MASKING_KEYS?: string;
  readonly PAYLOAD_KEYS?: string;
  readonly ALERT_WEBHOOK_URL?: string;
  readonly BUILDER_KEY?: string;
}
