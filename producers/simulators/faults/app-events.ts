/** Faults of app events. */
import type { AppEvent } from "../app-events.ts";
import { type Fault, LONE_SURROGATE, withFields } from "./fault.ts";

export const appFaults: readonly Fault<AppEvent>[] = [
  missing("session_id"),
  missing("platform"),
  missing("device"),
  {
    name: "device_model_missing",
    expected: "MISSING_FIELD",
    corrupt: (event) => withFields(event, { device: { ...event.device, model: undefined } }),
  },
  {
    name: "error_code_missing",
    expected: "MISSING_FIELD",
    corrupt: (event) => withFields(event, { event_name: "crash", error: { fatal: true } }),
  },
  {
    name: "device_is_text",
    expected: "TYPE_MISMATCH",
    corrupt: (event) => withFields(event, { device: `${event.device.model} (${event.device.os})` }),
  },
  {
    name: "error_is_a_list",
    expected: "TYPE_MISMATCH",
    corrupt: (event) => withFields(event, { error: [{ code: "TIMEOUT", fatal: false }] }),
  },
  {
    name: "unknown_platform",
    expected: "INVALID_ENUM",
    corrupt: (event, { random }) =>
      withFields(event, { platform: random.pick(["symbian", "iOS"]), app_version: "1.0.0" }),
  },
  {
    name: "unknown_event_name",
    expected: "INVALID_ENUM",
    corrupt: (event, { random }) => withFields(event, { event_name: random.pick(["shake", "screenView"]) }),
  },
  {
    name: "app_version_with_a_name",
    expected: "INVALID_FORMAT",
    corrupt: (event, { random }) => withFields(event, { app_version: random.pick(["v4.12", "4.12.0-beta", "latest"]) }),
  },
  {
    name: "screen_is_a_name",
    expected: "INVALID_FORMAT",
    corrupt: (event) => withFields(event, { screen: "HomeViewController" }),
  },
  {
    name: "model_with_lone_surrogate",
    expected: "INVALID_FORMAT",
    corrupt: (event) => withFields(event, { device: { ...event.device, model: `Phone ${LONE_SURROGATE}` } }),
  },
  {
    name: "battery_over_full",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (event, { random }) => withFields(event, { battery_pct: random.pick([101, 255, -1]) }),
  },
  {
    name: "duration_negative",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (event, { random }) => withFields(event, { duration_ms: -random.int(1, 60_000) }),
  },
  {
    name: "mobile_without_version",
    expected: "RULE_VIOLATION",
    corrupt: (event, { random }) =>
      withFields(event, { platform: random.pick(["ios", "android"]), app_version: undefined }),
  },
  {
    name: "crash_without_error",
    expected: "RULE_VIOLATION",
    corrupt: (event, { random }) =>
      withFields(event, {
        platform: "web",
        event_name: "crash",
        error: random.pick([undefined, null, { code: "TIMEOUT", fatal: false }]),
      }),
  },
];

function missing(field: keyof AppEvent): Fault<AppEvent> {
  return {
    name: `${field}_missing`,
    expected: "MISSING_FIELD",
    corrupt: (event) => withFields(event, { [field]: undefined }),
  };
}
