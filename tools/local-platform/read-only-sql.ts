/** A word, a `;`, or what words must not be sought in: comments, texts, quoted names (SQLite's lexical rules). */
const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[A-Za-z_][\w$]*|;/g;
const READERS = new Set(["SELECT", "VALUES", "WITH", "EXPLAIN"]);
/** Reserved in SQLite, so never a bare name. REPLACE is not (it is a function too): it writes only before INTO. */
const WRITERS = new Set(["INSERT", "UPDATE", "DELETE"]);

/** Why this SQL may not run on a read-only connection; undefined when it is one statement that only reads. */
export function refusalOfWrite(sql: string): string | undefined {
  const tokens = (sql.match(TOKEN) ?? []).filter((token) => !/^(?:--|\/\*|['"`[])/.test(token));
  const words = tokens.map((token) => token.toUpperCase());
  const first = words[0];
  if (first === undefined || !READERS.has(first)) return "only SELECT, VALUES, WITH and EXPLAIN are allowed here";
  const end = words.indexOf(";");
  if (end !== -1 && words.slice(end).some((word) => word !== ";")) return "only one statement is allowed here";
  const writes = words.some((word, i) => WRITERS.has(word) || (word === "REPLACE" && words[i + 1] === "INTO"));
  return writes ? "this connection only reads" : undefined;
}
