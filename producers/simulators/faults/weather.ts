/** Faults of weather readings: what broken sensors and careless firmware send. */
import type { WeatherEvent } from "../weather.ts";
import { type Fault, LONE_SURROGATE, withFields } from "./fault.ts";

export const weatherFaults: readonly Fault<WeatherEvent>[] = [
  missing("station_id"),
  missing("temperature_c"),
  missing("is_forecast"),
  {
    name: "temperature_is_text",
    expected: "TYPE_MISMATCH",
    corrupt: (reading) => withFields(reading, { temperature_c: `${reading.temperature_c} C` }),
  },
  {
    name: "is_forecast_is_text",
    expected: "TYPE_MISMATCH",
    corrupt: (reading) => withFields(reading, { is_forecast: "no" }),
  },
  {
    name: "unknown_condition",
    expected: "INVALID_ENUM",
    corrupt: (reading, { random }) => withFields(reading, { condition: random.pick(["frogs", "Rain", "unknown"]) }),
  },
  {
    name: "country_is_a_name",
    expected: "INVALID_FORMAT",
    corrupt: (reading) => withFields(reading, { country: "Germany" }),
  },
  {
    name: "station_id_in_lower_case",
    expected: "INVALID_FORMAT",
    corrupt: (reading) => withFields(reading, { station_id: reading.station_id.toLowerCase() }),
  },
  {
    name: "city_with_lone_surrogate",
    expected: "INVALID_FORMAT",
    corrupt: (reading) => withFields(reading, { city: `${reading.city}${LONE_SURROGATE}` }),
  },
  {
    // The value that many stations send for "no reading".
    name: "temperature_sentinel",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (reading, { random }) => withFields(reading, { temperature_c: random.pick([999.9, -9999]) }),
  },
  {
    name: "humidity_out_of_range",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (reading, { random }) => withFields(reading, { humidity_pct: random.pick([-1, 100.5, 255]) }),
  },
  {
    name: "pressure_in_kilopascal",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (reading) => withFields(reading, { pressure_hpa: Math.round(reading.pressure_hpa) / 10 }),
  },
  {
    name: "wind_negative",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (reading) => withFields(reading, { wind_speed_ms: -1 - reading.wind_speed_ms }),
  },
];

function missing(field: keyof WeatherEvent): Fault<WeatherEvent> {
  return {
    name: `${field}_missing`,
    expected: "MISSING_FIELD",
    corrupt: (reading) => withFields(reading, { [field]: undefined }),
  };
}
