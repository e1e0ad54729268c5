import * as z from "zod";

/** An ISO 8601 duration of days and less, in milliseconds. */
export const duration = z.string().transform((text, context) => {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  if (match === null || text === "P" || text.endsWith("T")) {
    context.addIssue({ code: "custom", message: `"${text}" is not an ISO 8601 duration such as P7D, PT1H or PT60S` });
    return z.NEVER;
  }
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000 + (seconds ?? 0) * 1_000;
});
