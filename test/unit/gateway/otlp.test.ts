/** What an OpenTelemetry exporter learns that was pointed at a topic. */
import { expect, it } from "vitest";
import { answer, createHarness, deadLetters } from "./harness.ts";

const ORDERS = "/v1/topics/orders/events";
const RESOURCE = { resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] } };

it.each([
  ["logs", { resourceLogs: [{ ...RESOURCE, scopeLogs: [{ logRecords: [{ body: { stringValue: "hi" } }] }] }] }],
  ["traces", { resourceSpans: [{ ...RESOURCE, scopeSpans: [] }] }],
  ["metrics", { resourceMetrics: [] }],
])("%s in JSON are one refused event that says what to do", async (_signal, request) => {
  const harness = createHarness();
  const response = await harness.post(ORDERS, request);
  const body = await answer(response);
  expect([response.status, body.rejected, body.results[0]?.errors.length]).toEqual([422, 1, 1]);
  expect(body.results[0]?.errors[0]?.detail).toMatch(/OTLP request: .*OpenTelemetry Collector/);
  expect(deadLetters(harness)[0]).toMatchObject({ error_type: "MALFORMED_PAYLOAD", payload: JSON.stringify(request) });
});

it("events that only resemble one are judged as events", async () => {
  for (const event of [{ resourceLogs: 1 }, { resourceLogs: [], event_id: "a" }, {}, [1]]) {
    const body = await answer(await createHarness().post(ORDERS, [event]));
    expect(JSON.stringify(body.results)).not.toContain("OTLP");
  }
});

it("protobuf is 415, and the addresses that exporters make are 404, both with what to do", async () => {
  const harness = createHarness();
  const protobuf = await harness.post(ORDERS, Uint8Array.of(10, 0), { "content-type": "application/x-protobuf" });
  expect([protobuf.status, (await answer(protobuf)).detail]).toEqual([
    415,
    expect.stringMatching(/OpenTelemetry Collector/),
  ]);
  for (const path of ["/v1/logs", "/v1/topics/orders/events/v1/traces", "/v1/metrics"]) {
    const response = await harness.post(path, {});
    expect([path, response.status]).toEqual([path, 404]);
    expect((await answer(response)).detail).toMatch(/OpenTelemetry Collector/);
  }
});
