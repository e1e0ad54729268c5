/** Faults of user profiles. */
import type { UserEvent } from "../users.ts";
import { type Fault, LONE_SURROGATE, withFields } from "./fault.ts";

export const userFaults: readonly Fault<UserEvent>[] = [
  missing("user_id"),
  missing("updated_at"),
  missing("country"),
  {
    name: "consent_is_text",
    expected: "TYPE_MISMATCH",
    corrupt: (user, { random }) => withFields(user, { marketing_consent: random.pick(["yes", "N", 1]) }),
  },
  {
    name: "phone_is_a_number",
    expected: "TYPE_MISMATCH",
    corrupt: (user, { random }) => withFields(user, { phone: random.int(1_000_000, 9_999_999) }),
  },
  {
    name: "unknown_tier",
    expected: "INVALID_ENUM",
    corrupt: (user, { random }) => withFields(user, { tier: random.pick(["platinum", "GOLD"]) }),
  },
  {
    name: "unknown_status",
    expected: "INVALID_ENUM",
    corrupt: (user) => withFields(user, { status: "archived" }),
  },
  {
    name: "email_without_at",
    expected: "INVALID_FORMAT",
    corrupt: (user) => withFields(user, { status: "active", email: "ada.lovelace.example.com" }),
  },
  {
    name: "phone_not_international",
    expected: "INVALID_FORMAT",
    corrupt: (user) => withFields(user, { status: "active", phone: "(030) 123 45 67" }),
  },
  {
    name: "country_is_a_name",
    expected: "INVALID_FORMAT",
    corrupt: (user) => withFields(user, { country: "Germany" }),
  },
  {
    name: "address_with_lone_surrogate",
    expected: "INVALID_FORMAT",
    corrupt: (user) => withFields(user, { status: "active", address: `Hauptstraße ${LONE_SURROGATE}` }),
  },
  {
    name: "address_is_a_novel",
    expected: "INVALID_FORMAT",
    corrupt: (user) => withFields(user, { status: "active", address: "third door on the left, ".repeat(40) }),
  },
  {
    name: "event_id_too_long",
    expected: "INVALID_FORMAT",
    corrupt: (user) => withFields(user, { event_id: `${user.event_id}/${"0".repeat(96)}` }),
    hidesId: true,
  },
  {
    name: "deleted_with_contact",
    expected: "RULE_VIOLATION",
    corrupt: (user) => withFields(user, { status: "deleted", email: `${user.user_id}@example.com` }),
  },
];

function missing(field: keyof UserEvent): Fault<UserEvent> {
  return {
    name: `${field}_missing`,
    expected: "MISSING_FIELD",
    corrupt: (user) => withFields(user, { [field]: undefined }),
  };
}
