/** Which contracts mask fields: topics with personal data, which the gateway stores and shows in part only. */
import type { Contract, FieldRule } from "./contract.ts";

/** Whether any field of the contract, nested ones included, is masked. */
export function hasMaskedFields(contract: Pick<Contract, "fields">): boolean {
  return contract.fields.some(isMasked);
}

/** True if the field, or anything inside it, is masked. */
export function isMasked(rule: FieldRule): boolean {
  return (
    rule.masking !== undefined ||
    (rule.item !== undefined && isMasked(rule.item)) ||
    (rule.fields?.some(isMasked) ?? false)
  );
}
