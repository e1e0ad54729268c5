/**
 * `logicalTypeOptions.format`: what it asks of a value is done by a pattern or by bounds; a format that nothing here would hold
 * values to is refused.
 */

const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";

export const UUID_PATTERN = "^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$";

/** As JSON Schema has them, in the strict reading that people expect: an e-mail address has a domain with a dot. */
const TEXTS = new Map(
  Object.entries({
    uuid: UUID_PATTERN,
    email: `^[A-Za-z0-9.!#$%&'*+/=?^_\`{|}~-]+@${LABEL}(?:\\.${LABEL})+$`,
    ipv4: `^(?:${OCTET}\\.){3}${OCTET}$`,
    hostname: `^${LABEL}(?:\\.${LABEL})*$`,
    uri: "^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$",
  }),
);

/** Widths of integers that are narrower than an Avro long. */
const INTEGERS: ReadonlyMap<string, readonly [least: number, most: number]> = new Map([
  ["i8", [-128, 127]],
  ["i16", [-32_768, 32_767]],
  ["i32", [-2_147_483_648, 2_147_483_647]],
  ["u8", [0, 255]],
  ["u16", [0, 65_535]],
  ["u32", [0, 4_294_967_295]],
]);

interface Options {
  readonly format?: string | undefined;
  readonly pattern?: string | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

/** The options with what the format means in their place. */
export function withoutFormat<O extends Options>(logicalType: string, options: O): Omit<O, "format"> {
  const { format, ...rest } = options;
  if (format === undefined) return rest;
  const pattern = logicalType === "string" ? TEXTS.get(format) : undefined;
  if (pattern !== undefined) return { ...rest, pattern };
  const range = logicalType === "integer" ? INTEGERS.get(format) : undefined;
  if (range === undefined) return rest;
  const [least, most] = range;
  return {
    ...rest,
    minimum: Math.max(least, options.minimum ?? least),
    maximum: Math.min(most, options.maximum ?? most),
  };
}

/** Why a format is refused, and what to write instead. */
export function formatProblem(logicalType: string, { format, pattern }: Options): string | undefined {
  if (format === undefined) return undefined;
  switch (logicalType) {
    case "string":
      if (!TEXTS.has(format))
        return `format ${format} is not enforced: ${[...TEXTS.keys()].join(", ")} are; write a pattern, or say it in the description`;
      return pattern === undefined ? undefined : `format ${format} is a pattern of its own: leave one of the two out`;
    case "integer":
      if (format === "i64" || INTEGERS.has(format)) return undefined;
      return `format ${format} is wider than Avro's long: use i64, or a number that is a decimal in the schema`;
    case "number":
      return format === "f64"
        ? undefined
        : `format ${format} is not kept: a number is stored with 64 bits, or as a decimal`;
    case "date":
      return format === "yyyy-MM-dd"
        ? undefined
        : "dates are sent as 2026-01-31: leave format out, or write yyyy-MM-dd";
    case "timestamp":
      return "times are sent by RFC 3339, as 2026-01-31T12:00:00Z: leave format out";
    default:
      return undefined;
  }
}
