/** Writes a database's id into wrangler.toml: one line changes, everything else keeps its bytes. */

/**
 * The text with `id` as the `database_id` of the binding in `[[env.<env>.d1_databases]]`. Throws RangeError when there is
 * no such line.
 */
export function withDatabaseId(toml: string, env: string, binding: string, id: string): string {
  const lines = toml.split("\n");
  const header = `[[env.${env}.d1_databases]]`;
  for (let start = 0; start < lines.length; start++) {
    if (lines[start]?.trim() !== header) continue;
    const after = lines.findIndex((line, at) => at > start && line.trimStart().startsWith("["));
    const end = after === -1 ? lines.length : after;
    const section = lines.slice(start, end);
    if (!section.some((line) => new RegExp(`^\\s*binding\\s*=\\s*["']${binding}["']`).test(line))) continue;
    const offset = section.findIndex((line) => /^\s*database_id\s*=/.test(line));
    if (offset === -1) break;
    const line = section[offset] ?? "";
    lines[start + offset] = line.replace(/(=\s*)(["'])[^"']*\2/, (_, equals: string) => `${equals}"${id}"`);
    return lines.join("\n");
  }
  throw new RangeError(`wrangler.toml has no database_id for ${binding} in ${header}`);
}
