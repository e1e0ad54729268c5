/** Why a body or a line cannot be read, without what stands in it. */

/** How V8 ends the messages of `JSON.parse` that do not quote the text. */
const POSITION = / at position (\d+)(?: \(line \d+ column \d+\))?$/;

/**
 * The part of a reader's complaint that is ours: up to the first colon, quotation mark or "got", after which messages quote
 * what was read (`JSON.parse` does). The position stays where the parser names one.
 */
export function concealedDetail(detail: string): string {
  const [ours = ""] = detail.split(/:|"|, got /, 1);
  const position = POSITION.exec(detail)?.[1];
  const where = position === undefined ? "" : ` at position ${position}`;
  return `${ours.trimEnd()}${where} (what stands there is not shown: the topic has masked fields)`;
}
