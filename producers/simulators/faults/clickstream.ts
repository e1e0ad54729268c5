/** Faults of the clickstream. */
import type { ClickEvent } from "../clickstream.ts";
import { type Fault, LONE_SURROGATE, withFields } from "./fault.ts";

export const clickFaults: readonly Fault<ClickEvent>[] = [
  missing("session_id"),
  missing("event_type"),
  missing("page"),
  missing("device"),
  {
    name: "duration_is_text",
    expected: "TYPE_MISMATCH",
    corrupt: (click) => withFields(click, { duration_ms: "1.2 s" }),
  },
  {
    name: "page_is_a_list",
    expected: "TYPE_MISMATCH",
    corrupt: (click) => withFields(click, { page: [click.page] }),
  },
  {
    name: "scroll_depth_is_text",
    expected: "TYPE_MISMATCH",
    corrupt: (click) => withFields(click, { scroll_depth: "half" }),
  },
  {
    name: "unknown_event_type",
    expected: "INVALID_ENUM",
    corrupt: (click, { random }) => withFields(click, { event_type: random.pick(["hover", "pageView", "app-open"]) }),
  },
  {
    name: "unknown_device",
    expected: "INVALID_ENUM",
    corrupt: (click, { random }) => withFields(click, { device: random.pick(["fridge", "iOS", "bot"]) }),
  },
  {
    name: "page_is_a_url",
    expected: "INVALID_FORMAT",
    corrupt: (click) => withFields(click, { page: `https://shop.example.org${click.page}` }),
  },
  {
    name: "search_term_with_lone_surrogate",
    expected: "INVALID_FORMAT",
    corrupt: (click) => withFields(click, { search_term: `pizza ${LONE_SURROGATE}` }),
  },
  {
    name: "scroll_depth_in_percent",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (click, { random }) => withFields(click, { scroll_depth: random.int(2, 100) }),
  },
  {
    name: "duration_negative",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (click, { random }) => withFields(click, { duration_ms: -random.int(1, 60_000) }),
  },
  {
    name: "duration_over_a_day",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (click, { random }) => withFields(click, { duration_ms: 86_400_000 + random.int(1, 1_000_000) }),
  },
];

function missing(field: keyof ClickEvent): Fault<ClickEvent> {
  return {
    name: `${field}_missing`,
    expected: "MISSING_FIELD",
    corrupt: (click) => withFields(click, { [field]: undefined }),
  };
}
