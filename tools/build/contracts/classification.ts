/**
 * The classes that a field's `classification` may name. ODCS 3.1 lets it be any text; here it is a closed list, because
 * personal data is masked by its class: a class that was misspelt would be stored in the clear without a word.
 */
import { z } from "zod";

/** Personal data: the field needs a masking. */
const PERSONAL = ["pii", "personal"];
/** For people only: the value is stored as it came. */
const NOT_PERSONAL = ["public", "internal", "confidential", "restricted"];

const CHOICES = `a classification is one of ${NOT_PERSONAL.join(", ")}, or, for personal data, ${PERSONAL.join(" or ")}`;

/** A class in any case: `PII` is `pii`. */
export const classification = z
  .string({ error: CHOICES })
  .refine((text) => [...PERSONAL, ...NOT_PERSONAL].includes(text.toLowerCase()), {
    error: ({ input }) => `${CHOICES}; ${JSON.stringify(input)} is none of them`,
  });

/** Whether values of this class are personal data, which is stored masked. */
export function isPersonal(text: string | undefined): boolean {
  return text !== undefined && PERSONAL.includes(text.toLowerCase());
}
