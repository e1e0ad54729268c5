/**
 * Values as the texts by which they are compared: equal exactly when the values are. Accepted values are held so against an
 * event's at the door (`gateway/admit`) and against a table's at its gate (`lakehouse/builds/gates`): 2.5 is 2.50 at both.
 */
import { isRawNumber } from "../schemas/exact-json.ts";
import { formatDate, formatTimestamp, parseDate, parseTimestamp } from "../schemas/time.ts";

export type ComparedAs = "text" | "number" | "boolean" | "date" | "timestamp";

/** The text of a value in any of the forms that JSON, YAML or a column has it in; undefined if it is no such value. */
export function valueText(as: ComparedAs, value: unknown): string | undefined {
  const text = isRawNumber(value) ? value.rawJSON : typeof value === "object" ? undefined : String(value);
  if (text === undefined) return undefined;
  switch (as) {
    case "text":
      return text;
    case "number":
      return numberText(text);
    case "boolean":
      return text === "true" || text === "false" ? text : undefined;
    case "date": {
      const days = parseDate(text);
      return days === undefined ? undefined : formatDate(days);
    }
    case "timestamp": {
      const micros = parseTimestamp(text);
      return micros === undefined ? undefined : formatTimestamp(micros);
    }
  }
}

const NUMBER = /^([+-]?)0*(\d*)(?:\.(\d*?)0*)?(?:[eE]([+-]?\d{1,4}))?$/;
/** No number of a list is longer, and a longer one of an event is none of the list. */
const MAX_LENGTH = 128;
/** As far as zeros are written out. */
const MAX_ZEROS = 40;

/** A number in plain digits without needless zeros: `2.50`, `25e-1` and `+2.5` are `2.5`. */
function numberText(text: string): string | undefined {
  if (text.length > MAX_LENGTH || !/\d/.test(text)) return undefined;
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  if (digits === "") return "0";
  const significant = digits.replace(/0+$/, "");
  // The value is `significant` x 10^power.
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  const minus = sign === "-" ? "-" : "";
  if (power >= 0 && power <= MAX_ZEROS) return `${minus}${significant}${"0".repeat(power)}`;
  if (power > 0 || power < -MAX_ZEROS) return `${minus}${significant}e${power}`;
  const padded = significant.padStart(1 - power, "0");
  return `${minus}${padded.slice(0, power)}.${padded.slice(power)}`;
}
