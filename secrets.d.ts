/** Secrets (`wrangler secret put NAME`), which wrangler.toml cannot name; docs/masking.md says what they hold. Absent in local runs. */
interface Env {
  readonly MASKING_KEYS?: string;
  readonly PAYLOAD_KEYS?: string;
}
