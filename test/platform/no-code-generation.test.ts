/**
 * Nothing is evaluated after startup: workerd refuses it in handlers by itself, so this walks every topic, schema version and
 * body form through admission, refusal, flush, builds and gold, and expects that nothing was refused.
 */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exampleEvent } from "../../contracts/documents/example-event.ts";
import { contracts } from "../../contracts/registry.ts";
import { models } from "../../lakehouse/tables/compiled/models.generated.ts";
import { codecsOf } from "../../schemas/codecs.ts";
import { settle } from "../../tools/demo/settle.ts";
import { AVRO_FORMS, avroBody, TEXT_FORMS, textBody } from "../../tools/fuzz/body-forms.ts";
import { type BuilderProcess, startBuilderProcess } from "../../tools/local-platform/builder-process.ts";
import { readMessageCounts } from "../../tools/local-platform/drain.ts";
import { startTestPlatform, type TestPlatform } from "./harness.ts";

const topics = contracts.filter((contract) => !contract.platformOnly);

let at: TestPlatform;
let builder: BuilderProcess;
beforeAll(async () => {
  // Buffers are flushed once, when all is sent: nothing here is about single requests.
  at = await startTestPlatform({ crons: "schedule", vars: { FLUSH_AGE_SECONDS: "120" } });
  const { url, apiKey, state } = at.platform;
  builder = startBuilderProcess({ url, apiKey, dir: state.builder });
});
afterAll(async () => {
  await builder.stop();
  await at.close();
});

/** Accepted event ids by topic. */
const accepted = new Map<string, string[]>();
let refused = 0;

test.each(topics)("$topic: every version in every form, and one refused event in each text form", async (contract) => {
  const { topic } = contract;
  const ids: string[] = [];
  const problems: unknown[] = [];
  for (const codec of codecsOf(topic).filter(({ retired }) => retired !== true)) {
    const version = { "sluice-schema-version": String(codec.version) };
    const make = (form: string) => {
      const id = `nocode-${topic}-v${codec.version}-${form}`;
      const event = exampleEvent(contract, codec, { now: Date.now(), id });
      return { id, event };
    };
    for (const form of [...TEXT_FORMS, ...AVRO_FORMS]) {
      const { id, event } = make(form);
      const text = TEXT_FORMS.find((name) => name === form);
      const avro = AVRO_FORMS.find((name) => name === form);
      const formed =
        text !== undefined
          ? textBody(text, [JSON.stringify(event)], id)
          : avroBody(avro ?? "avro-wire", codec, [event]);
      const { "content-type": type = "", ...attributes } = formed.headers;
      const headers = { ...attributes, ...version };
      for (const body of [formed.body, gzipSync(formed.body)]) {
        const gzip = body === formed.body ? {} : { "content-encoding": "gzip" };
        const query = "?results=all";
        const answer = await at.post(topic, body, { type, query, headers: { ...headers, ...gzip } });
        if (answer.status === 202) ids.push(String(answer.json.results[0].event_id));
        else problems.push([form, codec.version, answer.status, answer.json]);
      }
      if (text === undefined) continue;
      const bad = JSON.stringify({ ...event, [contract.eventTime]: "yesterday" });
      const answer = await at.post(topic, textBody(text, [bad], id).body, { type, headers });
      if (answer.status === 422) refused++;
      else problems.push([form, codec.version, answer.status, answer.json]);
    }
  }
  expect(problems).toEqual([]);
  accepted.set(topic, ids);
});

test("all accepted ones are in bronze, silver and gold are built, and nothing asked for code", async () => {
  const rows = [...accepted.values()].reduce((sum, ids) => sum + ids.length, refused);
  await at.until("what was sent is in buffers", async () => {
    const counts = await readMessageCounts(at.platform.url);
    return counts !== undefined && counts.sent === counts.acknowledged;
  });
  for (const topic of [...accepted.keys(), "dead_letters"]) {
    const headers = { authorization: `Bearer ${at.platform.apiKey}` };
    const flushed = await fetch(`${at.platform.url}/v1/topics/${topic}/flush`, { method: "POST", headers });
    expect(flushed.status, await flushed.text()).toBe(202);
  }
  const end = await settle(at.platform, rows, 120_000, () => {});
  expect(end).toMatchObject({ bronzeRows: rows, unbuilt: 0, failed: [] });
  const lake = await at.lake();
  try {
    for (const [topic, ids] of accepted) {
      const found = await lake.connection.runAndReadAll(`SELECT event_id FROM bronze_${topic} ORDER BY event_id`);
      expect(
        found
          .getRows()
          .map(([id]) => String(id))
          .sort(),
      ).toEqual([...ids].sort());
    }
    const names = lake.views.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...accepted.keys()].map((topic) => `silver_${topic}`)));
    expect(names).toEqual(expect.arrayContaining(models.map(({ name }) => name)));
  } finally {
    lake.close();
  }
  const forbidden = /EvalError|Code generation from strings disallowed|unsafe-eval/;
  expect(at.logs.filter((line) => forbidden.test(line))).toEqual([]);
  // A library that talks at start would stand between the lines that machines read.
  expect(at.logs.filter((line) => !line.startsWith("{"))).toEqual([]);
  expect(at.errors).toEqual([]);
});
