/**
 * Keys of local runs only, in the form of the secrets: they stand in the code, so they protect nothing. A deployed Worker
 * refuses them. They are the SHA-256 of "sluice local-only masking key" and "sluice local-only payload key".
 */
export const LOCAL_ONLY_MASKING_KEYS = '{"current":1,"keys":{"1":"KfPLwKJlosaMiPjQECP+y0WnKoMT/B4sVQZW09B0zz4="}}';
export const LOCAL_ONLY_PAYLOAD_KEYS = '{"current":1,"keys":{"1":"noNcdDfRcJZVvkjBndXqckch4P6z42yjKFa8fO571s4="}}';
