/** Functions that the edge does not get: they wait for the native builder, and until then the build says so. */

const KINDS: readonly { readonly kind: string; readonly names: RegExp; readonly instead: string }[] = [
  {
    kind: "a regular expression",
    names: /^regexp_|^regexp$/,
    instead: "use LIKE, contains, starts_with or split_part",
  },
  {
    kind: "a time zone",
    names: /^timezone/,
    instead: "stay in UTC, and shift by an INTERVAL",
  },
  {
    kind: "a quantile",
    names: /^(quantile|percentile|approx_quantile|median|mode|mad$)/,
    instead: "count by ranges, such as with CASE",
  },
];

/** What is wrong with a call of the function, and what to write instead; undefined if it is none of these. */
export function nativeOnly(name: string): { readonly problem: string; readonly fix: string } | undefined {
  const found = KINDS.find(({ names }) => names.test(name));
  if (found === undefined) return undefined;
  return {
    problem: `${name} is ${found.kind}, which needs the native builder: models cannot use that yet`,
    fix: `${found.instead} (docs/model-sql.md)`,
  };
}
