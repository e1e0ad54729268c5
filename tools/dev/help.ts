export const HELP = `npm run dev -- [flags]

Runs the whole platform on this machine until Ctrl-C: the gateway, the queues, the lake and its builds. State is kept
between runs; "npm run reset" removes it.

  --port N      where the gateway listens on 127.0.0.1 (8787); the inspector listens on the next port
  --state DIR   where the state is kept (.sluice)
  --simulate    feeds the platform with simulated producers on four topics, some of their events faulty
  --rate N      events per second of the simulation (50)
  --no-builder  starts no native builder beside the platform: models that only DuckDB builds wait for one that you start yourself
                (npx sluice builder)
  --help        this text`;

/** What is printed when the platform is up. */
export function welcome(
  platform: { readonly url: string; readonly inspectorUrl: string; readonly apiKey: string },
  stateDir: string,
  workerLog: string,
  now: Date,
): string {
  const { url, inspectorUrl, apiKey } = platform;
  const example = JSON.stringify({
    event_id: `hello-${now.getTime()}`,
    station_id: "SE-001",
    city: "Malmo",
    country: "SE",
    event_timestamp: now.toISOString(),
    temperature_c: 4.5,
    humidity_pct: 81,
    pressure_hpa: 1009.2,
    wind_speed_ms: 7,
    condition: "rain",
    is_forecast: false,
  });
  const state = stateDir === ".sluice" ? "" : ` --state ${stateDir}`;
  return `
Sluice runs.
  start page   ${url}/
  key          ${apiKey}
  inspector    ${inspectorUrl}/lake, POST ${inspectorUrl}/d1
  state        ${stateDir}/
  worker log   ${workerLog}

Send an event:
  curl -s ${url}/v1/topics/weather/events -H 'Authorization: Bearer ${apiKey}' -H 'Content-Type: application/json' -d '${example}'

See it, ten seconds later:
  npm run query --${state} "SELECT * FROM bronze_weather ORDER BY _received DESC LIMIT 5"

Ctrl-C drains the queues and stops.
`;
}
